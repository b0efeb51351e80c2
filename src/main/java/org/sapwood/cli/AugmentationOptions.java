package org.sapwood.cli;

import org.sapwood.synthesis.Augmentation;
import picocli.CommandLine.Option;

/** Random changes of training images and labels. */
final class AugmentationOptions {
    @Option(
            names = "--shift",
            paramLabel = "PIXELS",
            defaultValue = "0",
            description = "Shift images by up to this many pixels either way, >= 0 (default: ${DEFAULT-VALUE}).")
    private int shift;

    @Option(names = "--flip", description = "Mirror images at random; wrong for digits and letters.")
    private boolean flip;

    @Option(
            names = "--label-dropout",
            paramLabel = "P",
            defaultValue = "0.1",
            description = "Share of draws whose label is hidden, so that guidance can be used, in [0, 1] (default:"
                    + " ${DEFAULT-VALUE}).")
    private double labelDropout;

    /** The changes of images. */
    Augmentation augmentation() {
        return new Augmentation(shift, flip);
    }

    /** The share of draws without label. */
    double labelDropout() {
        return labelDropout;
    }

    /** Refuses values out of range. */
    void check(OptionCheck check) {
        check.atLeast("--shift", 0, shift).inUnit("--label-dropout", labelDropout);
    }
}
