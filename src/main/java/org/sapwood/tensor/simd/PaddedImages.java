package org.sapwood.tensor.simd;

/**
 * A few NHWC images with a margin of zeros, so that a convolution window never leaves them: a window row is then kernel·C
 * contiguous floats. With a margin they are a copy, which costs one pass over the activations; without one, themselves.
 */
final class PaddedImages {
    /** Floats of scratch that still leave room in a 2 MiB second-level cache for weights and outputs. */
    private static final int CACHE_FLOATS = 1 << 16;

    /** What holds them, from {@link #start} on. */
    float[] array = new float[0];

    int start;

    /** Floats from one row of pixels to the next. */
    int rowStride;

    /** Floats from one image to the next. */
    int imageStride;

    private float[] copies = new float[0];
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

    /** Makes {@code count} images that start at {@code from} those at hand. */
    void load(float[] images, int from, int count) {
        boolean whole = top == 0 && left == 0 && paddedHeight == height && rowStride == width * channels;
        if (whole) {
            array = images;
            start = from;
        } else {
            copies = Lanes.grow(copies, count * imageStride);
            array = copies;
            start = 0;
            copy(images, from, count);
        }
    }

    private void copy(float[] images, int from, int count) {
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
                System.arraycopy(images, source, copies, to + before, run);
                zero(to + before + run, to + rowStride);
            }
        }
    }

    private void zero(int from, int to) {
        for (int i = from; i < to; i++) {
            copies[i] = 0f;
        }
    }
}
