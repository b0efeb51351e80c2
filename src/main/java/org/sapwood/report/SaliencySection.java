package org.sapwood.report;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The selection of matrices as a map, layers by kinds of matrices. What it shows of the private images are the noisy
 * scores, which an event of the ledger paid for.
 */
record SaliencySection(RunFacts facts) implements Section {
    /** Steps of the colour scale in the style sheet. */
    private static final int COLOURS = 9;

    /** One candidate; a score of NaN stands for none. */
    private record Cell(String name, double score, boolean selected) {}

    @Override
    public String id() {
        return "selection";
    }

    @Override
    public String title() {
        return "Which matrices were chosen";
    }

    @Override
    public boolean hasContent() {
        return !RunFacts.list(facts.selection().get("candidates")).isEmpty();
    }

    @Override
    public void append(Html html) {
        List<Cell> cells = cells();
        double most = cells.stream()
                .mapToDouble(Cell::score)
                .filter(Double::isFinite)
                .max()
                .orElse(Double.NaN);
        long selected = cells.stream().filter(Cell::selected).count();
        html.leaf("p", explanation(cells.size(), selected, most));
        Map<String, Map<String, Map<String, Cell>>> families = byFamily(cells);
        html.open("div", "class", "maps");
        families.forEach((family, layers) -> appendMap(html, family, layers, most));
        html.close("div");
    }

    private List<Cell> cells() {
        List<?> names = RunFacts.list(facts.selection().get("candidates"));
        List<?> scores = RunFacts.list(facts.selection().get("noisy_scores"));
        Set<Object> selected = new HashSet<>(RunFacts.list(facts.selection().get("selected")));
        boolean scored = scores.size() == names.size();
        List<Cell> cells = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            double score = scored ? Figures.number(scores.get(i)) : Double.NaN;
            cells.add(new Cell(String.valueOf(names.get(i)), score, selected.contains(names.get(i))));
        }
        return cells;
    }

    private String explanation(int candidates, long selected, double most) {
        String text = "Of " + candidates + " candidates, " + selected + " were selected (outlined and marked ✓), "
                + rule() + ".";
        if (!(most > 0)) {
            return text;
        }
        text += " The numbers are the noisy scores in percent of the largest, " + Figures.rounded(most) + ".";
        double noise = noise();
        return Double.isFinite(noise)
                ? text + " The noise on each has a standard deviation of " + Figures.rounded(100 * noise / most)
                        + " in the same unit: differences of that size mean little."
                : text;
    }

    private String rule() {
        return switch (String.valueOf(facts.selection().get("rule"))) {
            case "ENERGY" -> "those whose clipped gradients have the most energy, asked privately";
            case "VOTE" -> "by a private vote of the images";
            case "LAYER" -> "by the mean energy of whole layers, asked privately";
            case "RANDOM" -> "at random, without looking at the images";
            case "ALL" -> "all of them, without looking at the images";
            case String other -> "by the rule " + Figures.optionName(other);
        };
    }

    /** Standard deviation of the noise on one score, from the ledger; NaN if it has no such event. */
    private double noise() {
        for (Object event : RunFacts.list(facts.privacy().get("events"))) {
            Map<?, ?> fields = RunFacts.map(event);
            if ("selection".equals(fields.get("name"))) {
                return Figures.number(fields.get("sigma")) * Figures.number(fields.get("sensitivity"));
            }
        }
        return Double.NaN;
    }

    private static Map<String, Map<String, Map<String, Cell>>> byFamily(List<Cell> cells) {
        Map<String, Map<String, Map<String, Cell>>> families = new LinkedHashMap<>();
        MatrixName.FAMILIES.forEach(family -> families.put(family, new LinkedHashMap<>()));
        for (Cell cell : cells) {
            MatrixName name = MatrixName.of(cell.name());
            families.computeIfAbsent(name.family(), f -> new LinkedHashMap<>())
                    .computeIfAbsent(name.shortLayer(), l -> new LinkedHashMap<>())
                    .put(name.kind(), cell);
        }
        families.values().removeIf(Map::isEmpty);
        return families;
    }

    private static void appendMap(Html html, String family, Map<String, Map<String, Cell>> layers, double most) {
        Set<String> kinds = new LinkedHashSet<>();
        layers.values().forEach(row -> kinds.addAll(row.keySet()));
        Tables.openScroll(html, family);
        html.open("table", "class", "map").leaf("caption", family);
        html.open("thead").open("tr").leaf("th", "layer", "scope", "col", "class", "layer");
        kinds.forEach(kind -> html.leaf("th", kind, "scope", "col"));
        html.close("tr").close("thead").open("tbody");
        layers.forEach((layer, row) -> {
            html.open("tr").leaf("th", layer, "scope", "row");
            for (String kind : kinds) {
                Cell cell = row.get(kind);
                if (cell == null) {
                    html.leaf("td", "", "class", "none");
                } else {
                    appendCell(html, cell, most);
                }
            }
            html.close("tr");
        });
        html.close("tbody").close("table");
        Tables.closeScroll(html);
    }

    private static void appendCell(Html html, Cell cell, double most) {
        boolean scored = Double.isFinite(cell.score()) && most > 0;
        int colour = scored ? (int) Math.clamp(cell.score() / most * COLOURS, 0, COLOURS - 1) : 0;
        String number =
                scored ? String.valueOf(Math.round(100 * cell.score() / most)).replace('-', '−') : "";
        String title = cell.name()
                + (Double.isFinite(cell.score()) ? ", noisy score " + Figures.rounded(cell.score()) : "")
                + (cell.selected() ? ", selected" : ", not selected");
        html.open("td", "class", "h" + colour + (cell.selected() ? " on" : ""), "title", title);
        html.text(number);
        if (cell.selected()) {
            html.leaf("span", "✓", "class", "mark");
        }
        if (!scored && !cell.selected()) {
            html.text("–");
        }
        html.close("td");
    }
}
