package org.sapwood.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@code evaluate} measured, each number beside the same one of real data. Fields that this class does not know are
 * shown all the same, under their own names.
 */
record MetricsSection(RunFacts facts) implements Section {
    private static final String EVALUATION = "evaluation";
    private static final String NOTICE = "notice";

    /** The name of a field's counterpart on real data is the field's own behind one of these. */
    private static final List<String> REFERENCE_PREFIXES =
            List.of("non_private_reference_", "real_test_", "real_train_", "reference_", "real_");

    /** And this one breaks the rule. */
    private static final Map<String, String> IRREGULAR =
            Map.of("downstream_accuracy", "non_private_reference_accuracy");

    /** How a measurement was made rather than what it gave: left to the details. */
    private static final Set<String> SETTINGS = Set.of(
            NOTICE,
            "covered_by_privacy_guarantee",
            "synthetic_images",
            "distance",
            "feature_space",
            "precision_recall_neighbours",
            "precision_recall_images_per_side");

    /** One line of the table. */
    private record Row(String name, String value, String reference) {}

    /** Lines under one heading, with a remark below it. */
    private record Group(String remark, List<Row> rows) {}

    @Override
    public String id() {
        return "metrics";
    }

    @Override
    public String title() {
        return "Measured against real images";
    }

    @Override
    public boolean hasContent() {
        return !evaluation().isEmpty() || !otherSections().isEmpty();
    }

    private Map<?, ?> evaluation() {
        return RunFacts.map(facts.metrics().get(EVALUATION));
    }

    private Map<String, Object> otherSections() {
        Map<String, Object> others = new LinkedHashMap<>(facts.metrics());
        others.remove(EVALUATION);
        others.remove("training");
        return others;
    }

    @Override
    public void append(Html html) {
        Map<?, ?> evaluation = evaluation();
        if (!evaluation.isEmpty()) {
            Object notice = evaluation.get(NOTICE);
            if (notice != null) {
                html.leaf("p", notice.toString(), "class", "warning");
            }
            Object images = evaluation.get("synthetic_images");
            if (images instanceof Number number) {
                html.leaf(
                        "p",
                        "Of " + Figures.count(number.doubleValue()) + " synthetic images; the last column holds"
                                + " the same measure of real images in their place.");
            }
            appendTable(html, evaluation);
            appendDetails(html, evaluation);
        }
        otherSections().forEach((name, value) -> {
            html.leaf("h3", Figures.words(name));
            Values.append(html, value);
        });
    }

    private static void appendTable(Html html, Map<?, ?> evaluation) {
        Map<String, Group> groups = new LinkedHashMap<>();
        collect(groups, "", evaluation, Map.of());
        Tables.openScroll(html, "Measurements");
        html.open("table", "class", "measures").open("thead").open("tr").leaf("th", "measure", "scope", "col");
        html.leaf("th", "synthetic", "scope", "col", "class", "number");
        html.leaf("th", "real", "scope", "col", "class", "number");
        html.close("tr").close("thead");
        groups.forEach((name, group) -> {
            if (!group.rows().isEmpty()) {
                appendGroup(html, name, group);
            }
        });
        html.close("table");
        Tables.closeScroll(html);
    }

    private static void appendGroup(Html html, String name, Group group) {
        html.open("tbody");
        if (!name.isEmpty()) {
            html.open("tr")
                    .open("th", "scope", "rowgroup", "colspan", "3", "class", "group")
                    .text(name);
            if (!group.remark().isEmpty()) {
                html.leaf("span", group.remark(), "class", "remark");
            }
            html.close("th").close("tr");
        }
        for (Row row : group.rows()) {
            html.open("tr").leaf("th", row.name(), "scope", "row");
            html.leaf("td", row.value(), "class", "number");
            html.leaf("td", row.reference(), "class", "number").close("tr");
        }
        html.close("tbody");
    }

    /** Gathers the numbers of an object into rows, and those of objects inside it into groups of their own. */
    private static void collect(Map<String, Group> groups, String title, Map<?, ?> values, Map<?, ?> references) {
        Object remark = values.get("feature_space");
        Group group = new Group(remark == null ? "" : "in " + remark, new ArrayList<>());
        groups.put(title, group);
        for (Map.Entry<?, ?> entry : values.entrySet()) {
            String name = String.valueOf(entry.getKey());
            Object value = entry.getValue();
            if (isReference(name, values) || SETTINGS.contains(name)) {
                continue;
            }
            Object reference = references.isEmpty() ? reference(name, values) : references.get(name);
            boolean accuracy = name.contains("accuracy") || title.contains("accuracy");
            String label = name.equals("frechet_distance") ? distance(values) : Figures.words(name);
            if (isNumber(value)) {
                group.rows().add(new Row(label, number(value, accuracy), summary(reference, accuracy)));
            } else if (value instanceof Map<?, ?> map && isNumber(map.get("mean"))) {
                group.rows().add(new Row(label, summary(map, accuracy), summary(reference, accuracy)));
                addArchitectures(group.rows(), map, RunFacts.map(reference), accuracy);
            } else if (value instanceof Map<?, ?> map) {
                collect(groups, title.isEmpty() ? label : title + ", " + label, map, RunFacts.map(reference));
            }
        }
    }

    /** What the mean is made of, where it is of more than one kind of classifier. */
    private static void addArchitectures(List<Row> rows, Map<?, ?> mean, Map<?, ?> reference, boolean accuracy) {
        Map<?, ?> parts = RunFacts.map(mean.get("architectures"));
        Map<?, ?> referenceParts = RunFacts.map(reference.get("architectures"));
        if (parts.size() > 1) {
            parts.forEach((name, part) -> rows.add(
                    new Row("– of " + name, summary(part, accuracy), summary(referenceParts.get(name), accuracy))));
        }
    }

    private static String distance(Map<?, ?> fidelity) {
        Object name = fidelity.get("distance");
        return name == null ? "Fréchet distance" : String.valueOf(name);
    }

    private static @Nullable Object reference(String name, Map<?, ?> values) {
        String irregular = IRREGULAR.get(name);
        if (irregular != null && values.containsKey(irregular)) {
            return values.get(irregular);
        }
        return REFERENCE_PREFIXES.stream()
                .map(prefix -> (Object) values.get(prefix + name))
                .filter(value -> value != null)
                .findFirst()
                .orElse(null);
    }

    private static boolean isReference(String name, Map<?, ?> values) {
        return values.keySet().stream()
                .map(String::valueOf)
                .anyMatch(other -> name.equals(IRREGULAR.get(other))
                        || REFERENCE_PREFIXES.stream().anyMatch(prefix -> name.equals(prefix + other)));
    }

    private static boolean isNumber(@Nullable Object value) {
        return value instanceof Number || !Double.isNaN(Figures.number(value)) || "NaN".equals(value);
    }

    /** The mean and its spread, or the number itself, or a dash. */
    private static String summary(@Nullable Object value, boolean accuracy) {
        if (value instanceof Map<?, ?> map && isNumber(map.get("mean"))) {
            double spread = Figures.number(map.get("standard_deviation"));
            String mean = number(map.get("mean"), accuracy);
            return spread > 0 ? mean + " ± " + number(spread, accuracy) : mean;
        }
        return isNumber(value) ? number(value, accuracy) : "–";
    }

    private static String number(@Nullable Object value, boolean accuracy) {
        double number = Figures.number(value);
        if (accuracy) {
            return Figures.percent(number);
        }
        return value instanceof Integer || value instanceof Long ? Figures.count(number) : Figures.rounded(number);
    }

    /** Everything that was recorded, for those who want the single runs. */
    private static void appendDetails(Html html, Map<?, ?> evaluation) {
        Map<Object, Object> rest = new LinkedHashMap<>(evaluation);
        rest.remove(NOTICE);
        html.open("details").leaf("summary", "Everything that was recorded");
        Values.append(html, rest);
        html.close("details");
    }
}
