package org.sapwood.tensor;

/**
 * The geometry of a square-kernel 2-D convolution over NHWC images (cross-correlation, as in every deep learning
 * library).
 *
 * @param height input height in pixels, ≥ 1
 * @param width input width in pixels, ≥ 1
 * @param inChannels input channels, ≥ 1
 * @param outChannels output channels, ≥ 1
 * @param kernel kernel edge in pixels, ≥ 1
 * @param stride step between outputs in pixels, ≥ 1
 * @param padLow zeros before the first row and column, ≥ 0
 * @param padHigh zeros after the last row and column, ≥ 0; differs from {@code padLow} for diffusers'
 *     {@code downsample_padding = 0}
 */
public record ConvGeometry(
        int height, int width, int inChannels, int outChannels, int kernel, int stride, int padLow, int padHigh) {
    public ConvGeometry {
        if (height < 1 || width < 1 || inChannels < 1 || outChannels < 1 || kernel < 1 || stride < 1) {
            throw new IllegalArgumentException("convolution extents must be >= 1: height " + height + ", width "
                    + width + ", channels " + inChannels + " -> " + outChannels + ", kernel " + kernel + ", stride "
                    + stride);
        }
        if (padLow < 0 || padHigh < 0 || height + padLow + padHigh < kernel || width + padLow + padHigh < kernel) {
            throw new IllegalArgumentException("a " + kernel + "x" + kernel + " kernel does not fit " + height + "x"
                    + width + " with padding " + padLow + "/" + padHigh);
        }
    }

    /** The usual stride-1 geometry that keeps the image size; {@code kernel} must be odd. */
    public static ConvGeometry same(int height, int width, int inChannels, int outChannels, int kernel) {
        return new ConvGeometry(height, width, inChannels, outChannels, kernel, 1, kernel / 2, kernel / 2);
    }

    public int outHeight() {
        return (height + padLow + padHigh - kernel) / stride + 1;
    }

    public int outWidth() {
        return (width + padLow + padHigh - kernel) / stride + 1;
    }

    /** Pixels per input image. */
    public int inTokens() {
        return height * width;
    }

    /** Pixels per output image. */
    public int outTokens() {
        return outHeight() * outWidth();
    }

    /** Elements of the weight, laid out [kernel, kernel, inChannels, outChannels]. */
    public int weightSize() {
        return kernel * kernel * inChannels * outChannels;
    }
}
