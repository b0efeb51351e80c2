package org.sapwood.nn;

/**
 * The shape of a {@link Classifier}; {@link ClassifierArchitecture#standard} gives the sizes that the evaluation uses.
 *
 * @param architecture the kind of network
 * @param height of an image in pixels, at least 8
 * @param width of an image in pixels, at least 8
 * @param channels of an image, at least 1
 * @param classes V, at least 1
 * @param baseChannels channels of the first stage, a multiple of 8; later stages have a multiple of it
 * @param features F, length of the penultimate vector, at least 1; four times {@code baseChannels} in a residual network
 */
public record ClassifierConfig(
        ClassifierArchitecture architecture,
        int height,
        int width,
        int channels,
        int classes,
        int baseChannels,
        int features) {
    private static final int MIN_EDGE = 8;

    /** Checks the ranges. */
    public ClassifierConfig {
        if (height < MIN_EDGE || width < MIN_EDGE) {
            throw new IllegalArgumentException(
                    "a classifier needs images of at least 8x8 pixels, got " + height + "x" + width);
        }
        if (channels < 1 || classes < 1 || features < 1) {
            throw new IllegalArgumentException(
                    "channels, classes and features must be >= 1, got " + channels + ", " + classes + ", " + features);
        }
        if (baseChannels < 1 || baseChannels % Classifier.NORM_GROUPS != 0) {
            throw new IllegalArgumentException(
                    "baseChannels must be a multiple of " + Classifier.NORM_GROUPS + ", got " + baseChannels);
        }
    }

    /** Values of one image. */
    public int imageLength() {
        return height * width * channels;
    }
}
