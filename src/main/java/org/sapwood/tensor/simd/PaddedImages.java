package org.sapwood.tensor.simd;

/**
 * A scratch copy of a few NHWC images with a margin of zeros, so that a convolution window never leaves it: a window row is
 * then kernel·C contiguous floats. The copy costs one pass over the activations, a percent of the convolution.
 */
final class PaddedImages {
    /** Floats of scratch that still leave room in a 2 MiB second-level cache for weights and outputs. */
    private static final int CACHE_FLOATS = 1 << 16;

    float[] array = new float[0];

    /** Floats from one row of pixels to the next. */
    int rowStride;

    /** Floats from one image to the next. */
    int imageStride;

    private int height;
    private int width;
    private int channels;
    private int top;
    private int left;
    private int paddedHeight;

    /**
     * Declares the images [height, width, channels] and the window [paddedHeight, paddedWidth] to be seen of them, in
     * which pixel (0, 0) stands at (top, left). Pixels that fall outside are cut off.
     */
    void shape(int height, int width, int channels, int top, int left, int paddedHeight, int paddedWidth) {
        this.height = height;
        this.width = width;
        this.channels = channels;
        this.top = top;
        this.left = left;
        this.paddedHeight = paddedHeight;
        rowStride = paddedWidth * channels;
        imageStride = paddedHeight * rowStride;
    }

    /** How many images to hold at once. */
    int group(int batch) {
        return Math.clamp(CACHE_FLOATS / Math.max(1, imageStride), 1, Math.max(1, batch));
    }

    /** Copies {@code count} images that start at {@code from}. */
    void load(float[] images, int from, int count) {
        array = Lanes.grow(array, count * imageStride);
        int paddedWidth = rowStride / Math.max(1, channels);
        int firstX = Math.max(0, -left);
        int lastX = Math.min(width, paddedWidth - left);
        int run = Math.max(0, lastX - firstX) * channels;
        int before = Math.max(0, left) * channels;
        for (int image = 0; image < count; image++) {
            for (int y = 0; y < paddedHeight; y++) {
                int to = image * imageStride + y * rowStride;
                int sourceY = y - top;
                if (sourceY < 0 || sourceY >= height || run == 0) {
                    zero(to, to + rowStride);
                    continue;
                }
                zero(to, to + before);
                int source = from + ((image * height + sourceY) * width + firstX) * channels;
                System.arraycopy(images, source, array, to + before, run);
                zero(to + before + run, to + rowStride);
            }
        }
    }

    private void zero(int from, int to) {
        for (int i = from; i < to; i++) {
            array[i] = 0f;
        }
    }
}
