package org.sapwood.cli;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How the weights of a fine-tuning run are updated. */
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class TrainingOptions {
    @Option(
            names = "--batch",
            paramLabel = "B",
            description = "Expected images per step, >= 1: each of N images is drawn with probability B/N (default: "
                    + MethodDefaults.BATCH + ").")
    private @Nullable Integer batch;

    @Option(
            names = "--steps",
            paramLabel = "T",
            description = "Training steps, >= 1 (default: " + MethodDefaults.STEPS + ").")
    private @Nullable Integer steps;

    @Option(
            names = "--augmentations",
            paramLabel = "K",
            description =
                    "Changed copies of each image per step, >= 1; the gradients of all its draws are averaged before"
                            + " the one clip, so they cost time, not budget (default: " + MethodDefaults.AUGMENTATIONS
                            + ").")
    private @Nullable Integer augmentations;

    @Option(
            names = "--timesteps-per-image",
            paramLabel = "K",
            description = "Timesteps, each with noise of its own, of every copy, >= 1 (default: "
                    + MethodDefaults.TIMESTEPS_PER_IMAGE + ").")
    private @Nullable Integer timestepsPerImage;

    @Option(
            names = "--learning-rate",
            paramLabel = "LR",
            defaultValue = "0.001",
            description = "Of Adam, > 0 (default: ${DEFAULT-VALUE}).")
    private double learningRate;

    @Option(
            names = "--label-learning-rate",
            paramLabel = "LR",
            defaultValue = "0.03",
            description = "Of Adam for the label embedding, > 0 (default: ${DEFAULT-VALUE}).")
    private double labelLearningRate;

    @Option(
            names = "--label-gradient-scale",
            paramLabel = "W",
            defaultValue = "auto",
            description = "Factor on the label embedding's gradient before the clip, a power of two >= 1: unscaled its"
                    + " share of the clipped norm is so small that the noise drowns it. auto takes the one that"
                    + " makes it about half, measured on images that the public model draws; 64 with random weights"
                    + " (default: ${DEFAULT-VALUE}).",
            converter = AutoIntConverter.class)
    private OptionalInt labelGradientScale;

    @Option(
            names = "--warm-up",
            paramLabel = "STEPS",
            defaultValue = "20",
            description = "Steps over which the learning rate rises, >= 0 (default: ${DEFAULT-VALUE}).")
    private int warmUp;

    @Option(
            names = "--ema-decay",
            paramLabel = "D",
            defaultValue = "0.99",
            description = "Decay per step of the averaged weights, which are the ones kept, in [0, 1) (default:"
                    + " ${DEFAULT-VALUE}).")
    private double emaDecay;

    @Option(
            names = "--micro-batch",
            paramLabel = "M",
            defaultValue = "0",
            description =
                    "Images that a worker takes at a time; 0 takes 8 on the host and, on a GPU, as many as suit its"
                            + " memory, up to 256. Changes memory and speed, not the result (default: ${DEFAULT-VALUE}).")
    private int microBatch;

    int batch(MethodDefaults defaults) {
        return batch == null ? defaults.batch() : batch;
    }

    int steps(MethodDefaults defaults) {
        return steps == null ? defaults.steps() : steps;
    }

    int augmentations(MethodDefaults defaults) {
        return augmentations == null ? defaults.augmentations() : augmentations;
    }

    int timestepsPerImage(MethodDefaults defaults) {
        return timestepsPerImage == null ? defaults.timestepsPerImage() : timestepsPerImage;
    }

    double learningRate() {
        return learningRate;
    }

    OptionalInt labelGradientScale() {
        return labelGradientScale;
    }

    double labelLearningRate() {
        return labelLearningRate;
    }

    int warmUp() {
        return warmUp;
    }

    double emaDecay() {
        return emaDecay;
    }

    int microBatch() {
        return microBatch;
    }
}
