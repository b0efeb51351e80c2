package org.sapwood.report;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Shows any JSON value, so that what a later version records is not lost on the page. */
final class Values {
    /** Longer lists are cut: a page is for reading, the file has all. */
    private static final int MOST_ITEMS = 200;

    private Values() {}

    /** An object as names with their values, a list of objects as a table, anything else as text. */
    static void append(Html html, @Nullable Object value) {
        switch (value) {
            case Map<?, ?> map -> {
                html.open("dl", "class", "facts");
                map.forEach((name, item) -> {
                    boolean nested = item instanceof Map || item instanceof List;
                    html.open("div", "class", nested ? "nested" : "plain");
                    html.leaf("dt", Figures.words(String.valueOf(name))).open("dd");
                    append(html, item);
                    html.close("dd").close("div");
                });
                html.close("dl");
            }
            case List<?> items
            when !items.isEmpty() && items.stream().allMatch(Map.class::isInstance) -> table(html, items);
            case List<?> items -> html.text(line(items));
            case null, default -> html.text(text(value));
        }
    }

    private static void table(Html html, List<?> items) {
        Set<Object> columns = new LinkedHashSet<>();
        items.forEach(item -> columns.addAll(RunFacts.map(item).keySet()));
        Tables.openScroll(html, "Table");
        html.open("table").open("thead").open("tr");
        columns.forEach(column -> html.leaf("th", Figures.words(String.valueOf(column)), "scope", "col"));
        html.close("tr").close("thead").open("tbody");
        for (Object item : items.subList(0, Math.min(MOST_ITEMS, items.size()))) {
            html.open("tr");
            for (Object column : columns) {
                html.open("td");
                append(html, RunFacts.map(item).get(column));
                html.close("td");
            }
            html.close("tr");
        }
        html.close("tbody").close("table");
        Tables.closeScroll(html);
    }

    private static String line(List<?> items) {
        List<String> texts = new ArrayList<>();
        for (Object item : items.subList(0, Math.min(MOST_ITEMS, items.size()))) {
            texts.add(text(item));
        }
        if (items.size() > MOST_ITEMS) {
            texts.add("and " + (items.size() - MOST_ITEMS) + " more");
        }
        return String.join(", ", texts);
    }

    /** A value on one line. */
    static String text(@Nullable Object value) {
        return switch (value) {
            case null -> "none";
            case Boolean flag -> flag ? "yes" : "no";
            case Integer whole -> String.valueOf(whole);
            case Long whole -> String.valueOf(whole);
            case Number number -> Figures.rounded(number.doubleValue());
            case List<?> items -> line(items);
            default -> String.valueOf(value);
        };
    }
}
