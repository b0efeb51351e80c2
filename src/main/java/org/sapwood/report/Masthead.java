package org.sapwood.report;

import java.nio.file.Path;
import java.util.Map;

/** The top of the page: which run this is, whether it is private, and the few numbers that matter. */
final class Masthead {
    static final String NOT_PRIVATE = "NOT PRIVATE";

    private Masthead() {}

    static void append(Html html, RunFacts facts, Claim claim) {
        if (claim.isNotPrivate()) {
            html.open("div", "class", "banner", "role", "note").leaf("strong", NOT_PRIVATE);
            html.leaf("span", reason(claim)).close("div");
        }
        html.open("header");
        html.leaf("p", "Sapwood report", "class", "eyebrow");
        html.leaf("h1", facts.title());
        html.open("p", "class", "subtitle").text("Run ").leaf("b", runName(facts), "dir", "auto");
        if (!facts.dataName().isEmpty()) {
            html.text(" on ").leaf("b", facts.dataName(), "dir", "auto");
        }
        html.text(claim.finished() ? ", finished." : ", in progress or stopped before its end.")
                .close("p");
        appendTiles(html, facts, claim);
        html.close("header");
    }

    private static String reason(Claim claim) {
        return switch (claim.kind()) {
            case NO_MECHANISM -> "No clipping, no noise: an upper bound that must not be released.";
            case SEEDED -> "The noise was drawn from a known seed and can be computed again. For tests only.";
            default -> "This folder holds no ledger that would support a guarantee.";
        };
    }

    private static void appendTiles(Html html, RunFacts facts, Claim claim) {
        html.open("dl", "class", "tiles");
        if (claim.kind() == Claim.Kind.PRIVATE) {
            tile(html, claim.finished() ? "ε" : "ε spent so far", Figures.up(claim.spent()));
            tile(html, "δ", Figures.up(claim.delta()));
        } else if (claim.isNotPrivate()) {
            tile(html, "ε", "none");
        }
        Map<?, ?> evaluation = RunFacts.map(facts.metrics().get("evaluation"));
        double accuracy = mean(evaluation, "downstream_accuracy");
        double reference = mean(evaluation, "non_private_reference_accuracy");
        if (Double.isFinite(accuracy)) {
            String value = Figures.percent(accuracy);
            tile(html, "downstream accuracy", value);
        }
        if (Double.isFinite(reference)) {
            tile(html, "trained on real images", Figures.percent(reference));
        }
        double trained = Figures.number(facts.training().get("trained_weights"));
        if (Double.isFinite(trained)) {
            tile(html, "trained weights", Figures.count(trained));
        }
        double seconds = Figures.number(facts.training().get("seconds"));
        if (Double.isFinite(seconds)) {
            tile(html, "training time", Figures.duration(seconds));
        }
        html.close("dl");
    }

    private static double mean(Map<?, ?> evaluation, String field) {
        return Figures.number(RunFacts.map(evaluation.get(field)).get("mean"));
    }

    private static void tile(Html html, String name, String value) {
        html.open("div").leaf("dt", name).leaf("dd", value).close("div");
    }

    static void appendFooter(Html html, RunFacts facts) {
        Object version = RunFacts.map(facts.run().get("host")).get("sapwood");
        html.open("footer").open("p").text("Made by Sapwood");
        if (version != null) {
            html.text(" " + version);
        }
        html.text(" from the files of the run; it makes no request and runs no script. Write it anew with ");
        html.leaf("code", "sapwood report --run RUN").text(".").close("p").close("footer");
    }

    /** The name of the folder. */
    static String runName(RunFacts facts) {
        Path name = facts.folder().path().toAbsolutePath().normalize().getFileName();
        return name == null ? "/" : name.toString();
    }
}
