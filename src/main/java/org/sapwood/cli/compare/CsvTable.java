package org.sapwood.cli.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SequencedSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The table for programs: {@code compare.csv} (RFC 4180), every number in full, an empty field for what is not known.
 * There is one line for each row of the Markdown table that has a complete run.
 */
final class CsvTable {
    private final List<Row> rows;
    private final List<String> titles = new ArrayList<>();
    private final List<Function<Row, String>> fields = new ArrayList<>();

    CsvTable(CompareSpec spec, List<Outcome> outcomes) {
        this.rows = Row.of(outcomes).stream()
                .filter(row -> !row.results().isEmpty())
                .toList();
        add("run", Row::run);
        spec.axes().keySet().forEach(axis -> add(axis.text(), row -> row.at(axis)));
        add("method", row -> row.results().getFirst().method());
        add("guarantee", row -> row.results().getFirst().guarantee().name().toLowerCase(Locale.ROOT));
        add("repeats", row -> Integer.toString(row.results().size()));
        add("epsilon_spent", row -> most(row, CellResult::spentEpsilon));
        add("delta", row -> most(row, CellResult::delta));
        add("sigma_training", row -> sigma(row, false));
        add("sigma_query", row -> sigma(row, true));
        add("steps", row -> mean(row.spread(CellResult::steps)));
        add("trained_weights", row -> mean(row.spread(CellResult::weights)));
        spread("accuracy_percent", Row::accuracy);
        SequencedSet<String> architectures = MarkdownTable.architectures(rows);
        architectures.forEach(name -> add("accuracy_percent_" + name, row -> mean(row.accuracy(name))));
        spread("frechet_distance", Row::frechet);
        spread("precision", row -> row.spread(CellResult::precision));
        spread("recall", row -> row.spread(CellResult::recall));
        spread("seconds", row -> row.spread(CellResult::seconds));
        add("resumed", row -> Boolean.toString(row.resumed()));
        add("images_per_second", row -> mean(row.spread(CellResult::imagesPerSecond)));
        add("peak_rss_mib", row -> mean(row.spread(CellResult::peakMib)));
    }

    private void add(String title, Function<Row, String> field) {
        titles.add(title);
        fields.add(field);
    }

    private void spread(String title, Function<Row, Spread> spread) {
        add(title, row -> mean(spread.apply(row)));
        add(title + "_sd", row -> {
            Spread value = spread.apply(row);
            return value.isKnown() ? Double.toString(value.deviation()) : "";
        });
    }

    private static String mean(Spread spread) {
        return spread.isKnown() ? number(spread.mean()) : "";
    }

    private static String most(Row row, Function<CellResult, Double> cost) {
        return number(row.results().stream().map(cost).max(Double::compare).orElse(Double.NaN));
    }

    private static String number(double value) {
        if (Double.isNaN(value)) {
            return "";
        }
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }

    private static String sigma(Row row, boolean query) {
        return row.results().getFirst().events().stream()
                .filter(event -> event.name().equals(CellResult.Event.SELECTION) == query)
                .map(event -> Double.toString(event.sigma()))
                .collect(Collectors.joining(";"));
    }

    /** The whole file. */
    String text() {
        StringBuilder text = new StringBuilder();
        line(text, titles);
        rows.forEach(
                row -> line(text, fields.stream().map(field -> field.apply(row)).toList()));
        return text.toString();
    }

    private static void line(StringBuilder text, List<String> values) {
        text.append(values.stream().map(CsvTable::quoted).collect(Collectors.joining(",")))
                .append("\r\n");
    }

    private static String quoted(String value) {
        return value.chars().anyMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r')
                ? '"' + value.replace("\"", "\"\"") + '"'
                : value;
    }
}
