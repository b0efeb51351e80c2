package org.sapwood.cli.compare;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The table for people: {@code compare.md}. */
final class MarkdownTable {
    private static final double WIDE = 100;

    private final CompareSpec spec;
    private final List<Outcome> outcomes;
    private final List<Row> rows;
    private final List<Column> columns = new ArrayList<>();

    /** A column. */
    private record Column(String title, Function<Row, String> text) {}

    MarkdownTable(CompareSpec spec, List<Outcome> outcomes) {
        this.spec = spec;
        this.outcomes = outcomes;
        this.rows = Row.of(outcomes);
        addColumns();
    }

    private void addColumns() {
        add("run", Row::run);
        for (Axis axis : spec.axes().keySet()) {
            add(axis.text(), row -> row.at(axis).isEmpty() ? Numbers.MISSING : row.at(axis));
        }
        add("method", row -> each(row, CellResult::method));
        add("ε spent", MarkdownTable::epsilon);
        add("δ", row -> Numbers.cost(most(row, CellResult::delta)));
        add("σ training", row -> each(row, MarkdownTable::trainingNoise));
        if (rows.stream().anyMatch(row -> !each(row, MarkdownTable::queryNoise).equals(Numbers.MISSING))) {
            add("σ query", row -> each(row, MarkdownTable::queryNoise));
        }
        add("steps", row -> Numbers.mean(row.spread(CellResult::steps), 0));
        add("trained weights", row -> Numbers.mean(row.spread(CellResult::weights), 0));
        add("accuracy, %", MarkdownTable::accuracy);
        SequencedSet<String> architectures = architectures(rows);
        if (architectures.size() > 1) {
            architectures.forEach(name -> add(name, row -> Numbers.mean(row.accuracy(name), 1)));
        }
        addIfKnown("Fréchet distance", Row::frechet, spread -> Numbers.spread(spread, spread.mean() < WIDE ? 1 : 0));
        if (rows.stream().anyMatch(row -> row.spread(CellResult::precision).isKnown())) {
            add(
                    "precision / recall",
                    row -> Numbers.mean(row.spread(CellResult::precision), 2) + " / "
                            + Numbers.mean(row.spread(CellResult::recall), 2));
        }
        add("seconds", row -> (row.resumed() ? "≥ " : "") + Numbers.mean(row.spread(CellResult::seconds), 0));
        addIfKnown("images/s", row -> row.spread(CellResult::imagesPerSecond), spread -> Numbers.mean(spread, 0));
        add("peak, MiB", row -> Numbers.mean(row.spread(CellResult::peakMib), 0));
    }

    private void add(String title, Function<Row, String> text) {
        columns.add(new Column(title, text));
    }

    private void addIfKnown(String title, Function<Row, Spread> spread, Function<Spread, String> text) {
        if (rows.stream().anyMatch(row -> spread.apply(row).isKnown())) {
            add(title, row -> text.apply(spread.apply(row)));
        }
    }

    /** The whole file. */
    String text() {
        StringBuilder text = new StringBuilder("# ").append(spec.title()).append("\n\n");
        line(text, columns.stream().map(Column::title).toList());
        line(text, columns.stream().map(column -> "---").toList());
        for (Row row : rows) {
            line(
                    text,
                    columns.stream()
                            .map(column -> row.results().isEmpty() && !isKnownBefore(column)
                                    ? Numbers.MISSING
                                    : column.text.apply(row))
                            .toList());
        }
        text.append('\n').append(explanation()).append("\n\n");
        unfinished(text);
        BudgetTotal.of(outcomes)
                .text()
                .forEach(paragraph -> text.append(paragraph).append("\n\n"));
        if (rows.stream().anyMatch(row -> row.accuracy().isKnown())) {
            text.append("![").append(spec.title()).append("](compare.png)\n");
        }
        return text.toString();
    }

    /** Whether a column says what a run is, which is known before it is complete. */
    private boolean isKnownBefore(Column column) {
        return columns.indexOf(column) <= spec.axes().size();
    }

    private static void line(StringBuilder text, List<String> fields) {
        text.append("| ")
                .append(fields.stream().map(field -> field.replace("|", "\\|")).collect(Collectors.joining(" | ")))
                .append(" |\n");
    }

    private String explanation() {
        List<String> sentences = new ArrayList<>();
        sentences.add(
                spec.repeats() > 1
                        ? "Mean ± standard deviation over " + spec.repeats() + " runs of each line, each with new"
                                + " randomness; a line with a single"
                                + " complete run shows the deviation over"
                                + " its classifiers."
                        : "One run of each line; ± is the standard deviation over the classifiers that measure it, and"
                                + " says nothing of how much another run would differ.");
        Spread reference =
                Spread.of(rows.stream().flatMap(row -> row.results().stream()).toList(), CellResult::reference);
        if (reference.isKnown()) {
            sentences.add("The same classifiers trained on the real training images reach "
                    + Numbers.fixed(100 * reference.mean(), 1) + " %.");
        }
        if (rows.stream().anyMatch(Row::resumed)) {
            sentences.add("≥: this training was killed once, and the time and memory are those of its last part.");
        }
        return String.join(" ", sentences);
    }

    private void unfinished(StringBuilder text) {
        List<Outcome> open = outcomes.stream().filter(o -> !o.complete()).toList();
        if (open.isEmpty()) {
            return;
        }
        text.append("Not in the table yet:\n\n");
        for (Outcome outcome : open) {
            text.append("* `").append(outcome.cell().name()).append("`: ");
            text.append(
                            outcome.failure().isEmpty()
                                    ? outcome.result().isEmpty() ? "not begun" : "under way"
                                    : "failed, " + outcome.failure())
                    .append('\n');
        }
        text.append('\n');
    }

    /** What all results of a row have in common, or all that they have. */
    private static String each(Row row, Function<CellResult, String> text) {
        return row.results().stream().map(text).distinct().collect(Collectors.joining("; "));
    }

    private static String epsilon(Row row) {
        boolean seeded = row.results().stream().anyMatch(result -> result.guarantee() == CellResult.Guarantee.SEEDED);
        return Numbers.cost(most(row, CellResult::spentEpsilon)) + (seeded ? " (seeded, not private)" : "");
    }

    private static double most(Row row, Function<CellResult, Double> cost) {
        return row.results().stream().map(cost).max(Double::compare).orElse(Double.NaN);
    }

    /** σ of what is not the selection: a single query's alone, several with their names. */
    static String trainingNoise(CellResult result) {
        List<CellResult.Event> events = result.events().stream()
                .filter(event -> !event.name().equals(CellResult.Event.SELECTION))
                .toList();
        return switch (events.size()) {
            case 0 -> Numbers.MISSING;
            case 1 -> Numbers.plain(events.getFirst().sigma());
            default ->
                events.stream()
                        .map(event -> event.name() + " " + Numbers.plain(event.sigma()))
                        .collect(Collectors.joining(", "));
        };
    }

    static String queryNoise(CellResult result) {
        return result.events().stream()
                .filter(event -> event.name().equals(CellResult.Event.SELECTION))
                .map(event -> Numbers.plain(event.sigma()))
                .findFirst()
                .orElse(Numbers.MISSING);
    }

    private static String accuracy(Row row) {
        Spread accuracy = row.accuracy();
        return accuracy.isKnown()
                ? Numbers.fixed(accuracy.mean(), 1) + " ± " + Numbers.fixed(accuracy.deviation(), 1)
                : Numbers.MISSING;
    }

    /** The architectures that any evaluation tells apart. */
    static SequencedSet<String> architectures(List<Row> rows) {
        return rows.stream()
                .flatMap(row -> row.results().stream())
                .flatMap(result -> result.accuracyByArchitecture().sequencedKeySet().stream())
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }
}
