package org.sapwood.synthesis;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.data.ImageSource;
import org.sapwood.data.ReadOptions;
import org.sapwood.io.RunFolder;
import org.sapwood.nn.ModelFolder;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.nn.Weights;

/** Models and options small enough for a unit test. */
final class TinyModels {
    /** Of every run here. At a larger one four steps would be calibrated ten times as long. */
    static final double EPSILON = 1;

    private TinyModels() {}

    /** 28×28 grey images, two levels of 8 channels, attention in the inner one: 8 attention matrices of 8×8. */
    static UNetConfig config(int classes) {
        return new UNetConfig(
                28,
                1,
                1,
                List.of(8, 8),
                1,
                List.of(false, true),
                List.of(false, false),
                true,
                4,
                4,
                1e-5f,
                classes,
                true,
                0,
                1);
    }

    static UNet random(int classes, long seed) {
        UNet model = new UNet(config(classes));
        model.initialize(RandomSource.XO_SHI_RO_256_PP.create(seed));
        return model;
    }

    /** Writes a random public model and returns the path of its weights. */
    static Path publicModel(Path folder) {
        RunFolder run = RunFolder.create(folder);
        UNet model = random(6, 3);
        ModelFolder.writeConfig(model.config(), run);
        Weights.save(model, Map.of(), run.checkpoint(0));
        return run.checkpoint(0);
    }

    /** A DP-SAPF run of 4 steps of about 6 of 40 built-in digits. */
    static TrainOptions options(Path publicModel, OptionalLong seed) {
        return options(Method.DP_SAPF, SelectionRule.ENERGY, publicModel, 4, 4, seed);
    }

    /** The same options but for one, named as in {@code run.json}. */
    static TrainOptions with(TrainOptions options, String name, Object value) {
        Map<String, Object> json = new LinkedHashMap<>(options.toJson());
        if (!json.containsKey(name)) {
            throw new IllegalArgumentException("there is no option " + name);
        }
        json.put(name, value);
        return TrainOptions.fromJson(json);
    }

    static TrainOptions options(
            Method method, SelectionRule selection, Path publicModel, int steps, int microBatch, OptionalLong seed) {
        return new TrainOptions(
                method,
                publicModel.toString(),
                "",
                new ImageSource(List.of("glyphs:sensitive:40:5"), ReadOptions.asStored()),
                EPSILON,
                OptionalDouble.empty(),
                6,
                steps,
                2,
                1,
                0.1,
                TrainOptions.Clipping.FLAT,
                1e-2,
                1e-2,
                OptionalInt.of(8),
                0,
                0.5,
                2,
                1,
                CandidateSet.ATTENTION,
                selection,
                0.5,
                OptionalDouble.empty(),
                OptionalDouble.of(4),
                1,
                2,
                true,
                0,
                Augmentation.NONE,
                0.1,
                "",
                "linear",
                microBatch,
                seed);
    }
}
