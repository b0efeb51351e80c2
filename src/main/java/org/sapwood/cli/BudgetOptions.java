package org.sapwood.cli;

import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.sapwood.synthesis.TrainOptions;
import picocli.CommandLine.Option;

/** The privacy of a run: its budget and how the contribution of one example is bounded. */
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class BudgetOptions {
    @Option(
            names = "--epsilon",
            paramLabel = "E",
            description = "Total ε of the run, > 0, under add/remove neighbours, by PLD; the noise is calibrated to it."
                    + " Required unless the method is non-private.")
    private @Nullable Double epsilon;

    @Option(
            names = "--delta",
            paramLabel = "D",
            defaultValue = "auto",
            description = "δ in (0, 1), or auto for 1/(N·ln N) of N images (default: ${DEFAULT-VALUE}).")
    private OptionalDouble delta;

    @Option(
            names = "--clip-norm",
            paramLabel = "C",
            description = "L2 norm to which the gradient of one example is clipped, > 0 (default: "
                    + MethodDefaults.CLIP_NORM + ").")
    private @Nullable Double clipNorm;

    @Option(
            names = "--clipping",
            paramLabel = "RULE",
            defaultValue = "flat",
            description =
                    "flat (one norm over all trained parameters), layer-wise (each parameter to its share of C) or"
                            + " automatic (every gradient scaled to norm C) (default: ${DEFAULT-VALUE}).")
    private TrainOptions.Clipping clipping;

    @Nullable
    Double epsilon() {
        return epsilon;
    }

    OptionalDouble delta() {
        return delta;
    }

    double clipNorm(MethodDefaults defaults) {
        return clipNorm == null ? defaults.clipNorm() : clipNorm;
    }

    TrainOptions.Clipping clipping() {
        return clipping;
    }
}
