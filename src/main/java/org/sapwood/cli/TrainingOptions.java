package org.sapwood.cli;

import picocli.CommandLine.Option;

/** How the weights of a fine-tuning run are updated. */
final class TrainingOptions {
    @Option(
            names = "--batch",
            paramLabel = "B",
            defaultValue = "256",
            description = "Expected images per step, >= 1: each of N images is drawn with probability B/N (default:"
                    + " ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--steps",
            paramLabel = "T",
            defaultValue = "1000",
            description = "Training steps, >= 1 (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Option(
            names = "--augmentations",
            paramLabel = "K",
            defaultValue = "4",
            description =
                    "Draws of change, timestep and noise per image and step, >= 1, averaged before the one clip: they"
                            + " cost time, not budget (default: ${DEFAULT-VALUE}).")
    private int augmentations;

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
            defaultValue = "64",
            description = "Factor on the label embedding's gradient before the clip, a power of two >= 1: unscaled its"
                    + " share of the clipped norm is so small that the noise drowns it (default: ${DEFAULT-VALUE}).")
    private int labelGradientScale;

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

    int batch() {
        return batch;
    }

    int steps() {
        return steps;
    }

    int augmentations() {
        return augmentations;
    }

    double learningRate() {
        return learningRate;
    }

    int labelGradientScale() {
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
