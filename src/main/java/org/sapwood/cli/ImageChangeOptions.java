package org.sapwood.cli;

import org.sapwood.synthesis.Augmentation;
import picocli.CommandLine.Option;

/** Random changes of training images. */
class ImageChangeOptions {
    @Option(
            names = "--shift",
            paramLabel = "PIXELS",
            defaultValue = "0",
            description = "Shift images by up to this many pixels either way, >= 0 (default: ${DEFAULT-VALUE}).")
    private int shift;

    @Option(names = "--flip", description = "Mirror images at random; wrong for digits and letters.")
    private boolean flip;

    /** The changes of images. */
    final Augmentation augmentation() {
        return new Augmentation(shift, flip);
    }

    /** Refuses values out of range. */
    void check(OptionCheck check) {
        check.atLeast("--shift", 0, shift);
    }
}
