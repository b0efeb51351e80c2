package org.sapwood.cli;

import picocli.CommandLine.Option;

/** Random changes of training images and labels. */
final class AugmentationOptions extends ImageChangeOptions {
    @Option(
            names = "--label-dropout",
            paramLabel = "P",
            defaultValue = "0.1",
            description = "Share of draws whose label is hidden, so that guidance can be used, in [0, 1] (default:"
                    + " ${DEFAULT-VALUE}).")
    private double labelDropout;

    /** The share of draws without label. */
    double labelDropout() {
        return labelDropout;
    }

    @Override
    void check(OptionCheck check) {
        super.check(check);
        check.inUnit("--label-dropout", labelDropout);
    }
}
