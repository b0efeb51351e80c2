package org.sapwood.cli.compare;

import java.util.Map;

/** The options of all three commands. */
record StageOptions(OptionValues train, OptionValues sample, OptionValues evaluate) {

    /** Reads the sections {@code train}, {@code sample} and {@code evaluate} of an object. */
    static StageOptions read(Map<?, ?> json, String where) {
        return new StageOptions(
                OptionValues.read(json.get("train"), Stage.TRAIN, where + "train"),
                OptionValues.read(json.get("sample"), Stage.SAMPLE, where + "sample"),
                OptionValues.read(json.get("evaluate"), Stage.EVALUATE, where + "evaluate"));
    }

    OptionValues of(Stage stage) {
        return switch (stage) {
            case TRAIN -> train;
            case SAMPLE -> sample;
            case EVALUATE -> evaluate;
        };
    }

    StageOptions with(StageOptions special) {
        return new StageOptions(
                train.with(special.train), sample.with(special.sample), evaluate.with(special.evaluate));
    }

    StageOptions with(Axis axis, Object value) {
        return switch (axis.stage()) {
            case TRAIN -> new StageOptions(train.with(axis.option(), value), sample, evaluate);
            case SAMPLE -> new StageOptions(train, sample.with(axis.option(), value), evaluate);
            case EVALUATE -> new StageOptions(train, sample, evaluate.with(axis.option(), value));
        };
    }
}
