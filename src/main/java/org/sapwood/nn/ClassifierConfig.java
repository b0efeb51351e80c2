package org.sapwood.nn;

/**
 * The shape of a {@link Classifier}.
 *
 * @param height of an image in pixels, at least 8
 * @param width of an image in pixels, at least 8
 * @param channels of an image, at least 1
 * @param classes V, at least 1
 * @param baseChannels channels after the first convolution, a multiple of 8; twice as many after the others
 * @param features F, length of the penultimate vector, at least 1
 */
public record ClassifierConfig(int height, int width, int channels, int classes, int baseChannels, int features) {
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

    /**
     * The classifier of the evaluation: 32 base channels and 64 features. For 28×28×1 and ten classes that is 122,826
     * parameters and 3.4 MFLOP forward per image.
     */
    public static ClassifierConfig compact(int height, int width, int channels, int classes) {
        return new ClassifierConfig(height, width, channels, classes, 32, 64);
    }

    /** Values of one image. */
    public int imageLength() {
        return height * width * channels;
    }
}
