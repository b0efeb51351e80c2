package org.sapwood.cli;

import picocli.CommandLine.Option;

/** How weights are updated in training without privacy, as far as all models share it. */
class PublicUpdateOptions {
    @Option(
            names = "--learning-rate",
            paramLabel = "LR",
            defaultValue = "0.001",
            description = "Of Adam at its peak, > 0; falls along a half cosine (default: ${DEFAULT-VALUE}).")
    private double learningRate;

    @Option(
            names = "--ema-decay",
            paramLabel = "D",
            defaultValue = "0.999",
            description = "Decay per step of the averaged weights, which are the ones kept, in [0, 1) (default:"
                    + " ${DEFAULT-VALUE}).")
    private double emaDecay;

    final double learningRate() {
        return learningRate;
    }

    final double emaDecay() {
        return emaDecay;
    }
}
