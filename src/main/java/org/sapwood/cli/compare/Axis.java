package org.sapwood.cli.compare;

import java.util.Arrays;
import java.util.Optional;

/**
 * An option that a grid varies.
 *
 * @param stage whose option it is
 * @param option its name without dashes
 */
record Axis(Stage stage, String option) {

    /** Reads {@code epsilon}, an option of train, or {@code sample.guidance-scale} or {@code evaluate.…}. */
    static Axis parse(String text, String where) {
        int dot = text.indexOf('.');
        Optional<Stage> named = dot < 0
                ? Optional.empty()
                : Arrays.stream(Stage.values())
                        .filter(stage -> stage.text().equals(text.substring(0, dot)))
                        .findFirst();
        Axis axis = named.map(stage -> new Axis(stage, text.substring(dot + 1)))
                .orElseGet(() -> new Axis(Stage.TRAIN, text));
        OptionValues.requireOption(axis.option, axis.stage, where);
        return axis;
    }

    /** As it stands in a spec and above a column. */
    String text() {
        return stage == Stage.TRAIN ? option : stage.text() + "." + option;
    }
}
