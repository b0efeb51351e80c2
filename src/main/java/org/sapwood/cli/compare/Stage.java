package org.sapwood.cli.compare;

import java.util.Locale;
import java.util.Set;

/** The commands that a cell consists of, in the order in which they run. */
public enum Stage {
    /** Trains a model; the only stage that spends budget. */
    TRAIN("trained", "out", "explain"),
    /** Draws synthetic images from it. */
    SAMPLE("sampled", "run", "model", "out"),
    /** Measures them. */
    EVALUATE("evaluated", "run", "synthetic");

    private static final Set<String> OF_NONE = Set.of("help", "json", "quiet", "stacktrace");

    private final String done;
    private final Set<String> taken;

    Stage(String done, String... taken) {
        this.done = done;
        this.taken = Set.of(taken);
    }

    /** The command's name, and that of its options in a spec. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** What a cell is once the stage is over. */
    String done() {
        return done;
    }

    /** Whether the comparison itself decides this option, so that a spec cannot. */
    boolean decides(String option) {
        return taken.contains(option) || OF_NONE.contains(option);
    }
}
