package org.sapwood.cli.compare;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.SequencedMap;
import java.util.function.Function;

/**
 * The repeats of one run at one point of its grid: a line of the table.
 *
 * @param run its name
 * @param point the grid's values
 * @param options of its commands
 * @param outcomes of all repeats, at least one
 */
record Row(String run, SequencedMap<Axis, String> point, StageOptions options, List<Outcome> outcomes) {

    /** Groups outcomes by run and point, in the order in which these first occur. */
    static List<Row> of(List<Outcome> outcomes) {
        Map<List<Object>, List<Outcome>> groups = new LinkedHashMap<>();
        for (Outcome outcome : outcomes) {
            Cell cell = outcome.cell();
            groups.computeIfAbsent(List.of(cell.run(), cell.point()), key -> new ArrayList<>())
                    .add(outcome);
        }
        return groups.values().stream()
                .map(group -> {
                    Cell first = group.getFirst().cell();
                    return new Row(first.run(), first.point(), first.options(), List.copyOf(group));
                })
                .toList();
    }

    /** Of the complete repeats: the others have nothing to compare yet. */
    List<CellResult> results() {
        return outcomes.stream()
                .filter(Outcome::complete)
                .flatMap(outcome -> outcome.result().stream())
                .toList();
    }

    /** Mean and standard deviation over the repeats. */
    Spread spread(Function<CellResult, OptionalDouble> measurement) {
        return Spread.of(results(), measurement);
    }

    /** Accuracy in percent; the deviation of a single run is that over its classifiers. */
    Spread accuracy() {
        Spread overRepeats = spread(CellResult::accuracy).times(100);
        return overRepeats.count() == 1
                ? new Spread(
                        overRepeats.mean(),
                        100 * spread(CellResult::accuracyDeviation).mean(),
                        1)
                : overRepeats;
    }

    /** Mean accuracy of one architecture in percent. */
    Spread accuracy(String architecture) {
        return spread(result -> {
                    Double mean = result.accuracyByArchitecture().get(architecture);
                    return mean == null ? OptionalDouble.empty() : OptionalDouble.of(mean);
                })
                .times(100);
    }

    Spread frechet() {
        return spread(CellResult::frechet);
    }

    boolean resumed() {
        return outcomes.stream().anyMatch(Outcome::resumed);
    }

    /** The run and its values but for one axis, as {@code DP-SAPF, batch 512}. */
    String labelWithout(Axis axis) {
        StringBuilder label = new StringBuilder(run);
        point.forEach((other, value) -> {
            if (!other.equals(axis)) {
                label.append(", ").append(label(other, value));
            }
        });
        return label.toString();
    }

    /** An axis and its value as a person writes them. */
    static String label(Axis axis, String value) {
        return switch (axis.text()) {
            case "epsilon" -> "ε = " + value;
            case "delta" -> "δ = " + value;
            default -> axis.text() + " " + value;
        };
    }

    /** The value of an axis, empty text where this run does not have it. */
    String at(Axis axis) {
        return Objects.requireNonNullElse(point.get(axis), "");
    }
}
