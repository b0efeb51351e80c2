package org.sapwood.report;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** How many weights trained, which, and what it took. */
record TrainedSection(RunFacts facts) implements Section {
    @Override
    public String id() {
        return "trained";
    }

    @Override
    public String title() {
        return "What was trained";
    }

    @Override
    public boolean hasContent() {
        return !facts.options().isEmpty();
    }

    @Override
    public void append(Html html) {
        Map<String, String> figures = new LinkedHashMap<>();
        Map<?, ?> training = facts.training();
        OptionalLong all = WeightCount.of(facts.folder());
        double trained = Figures.number(training.get("trained_weights"));
        if (Double.isFinite(trained)) {
            figures.put("trained weights", Figures.count(trained) + share(trained, all));
        }
        all.ifPresent(n -> figures.put("weights in the checkpoint", Figures.count((double) n)));
        List<?> selected = RunFacts.list(facts.selection().get("selected"));
        if (!selected.isEmpty()) {
            figures.put("adapted matrices", adapters(selected.size()));
        }
        appendCost(figures, training);
        html.open("dl", "class", "facts");
        figures.forEach((name, value) ->
                html.open("div").leaf("dt", name).leaf("dd", value).close("div"));
        html.close("dl");
        if (!selected.isEmpty()) {
            html.open("details").leaf("summary", "The " + selected.size() + " matrices by name");
            html.open("ul", "class", "names");
            selected.forEach(
                    name -> html.open("li").leaf("code", String.valueOf(name)).close("li"));
            html.close("ul").close("details");
        }
        if (facts.training().containsKey("seconds")) {
            html.leaf(
                    "p",
                    "Times and memory were measured without noise and are not covered by any guarantee. A resumed"
                            + " run counts from its last start only.",
                    "class",
                    "note");
        }
    }

    private static String share(double trained, OptionalLong all) {
        return all.isPresent() && all.getAsLong() > 0
                ? ", " + Figures.percent(trained / all.getAsLong()) + " of all"
                : "";
    }

    private String adapters(int count) {
        Object rank = facts.options().get("loraRank");
        return count + " of "
                + RunFacts.list(facts.selection().get("candidates")).size()
                + (rank == null || !OptionNames.applies(facts, "loraRank") ? "" : ", rank " + rank);
    }

    /** An option that multiplies the work, 1 where the run takes none of that name. */
    private double factor(String option) {
        double value = Figures.number(facts.options().get(option));
        return Double.isFinite(value) && OptionNames.applies(facts, option) ? value : 1;
    }

    private void appendCost(Map<String, String> figures, Map<?, ?> training) {
        double seconds = Figures.number(training.get("seconds"));
        double steps = Figures.number(facts.options().get("steps"));
        double batch = Figures.number(facts.options().get("batch"));
        double draws = factor("augmentations") * factor("timestepsPerImage");
        if (Double.isFinite(steps)) {
            figures.put(
                    "steps",
                    Figures.count(steps) + " of " + Figures.count(batch) + " images"
                            + (draws > 1 ? ", " + Figures.count(draws) + " draws of each" : ""));
        }
        if (Double.isFinite(seconds)) {
            figures.put("training time", Figures.duration(seconds));
        }
        double rate = Figures.number(training.get("images_per_second"));
        double expected = steps * batch * draws / seconds;
        if (Double.isFinite(rate)) {
            figures.put("images per second", Figures.rounded(rate));
        } else if (Double.isFinite(expected)) {
            figures.put(draws > 1 ? "image draws per second" : "images per second", Figures.count(expected));
        }
        double memory = Figures.number(training.get("peak_rss_mib"));
        if (Double.isFinite(memory)) {
            figures.put("peak memory", Figures.count(memory) + " MiB");
        }
        training.forEach((name, value) -> {
            if (!List.of("trained_weights", "seconds", "images_per_second", "peak_rss_mib", "method")
                    .contains(name)) {
                figures.put(Figures.words(String.valueOf(name)), Values.text(value));
            }
        });
    }
}
