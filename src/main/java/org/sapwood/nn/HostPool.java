package org.sapwood.nn;

import java.util.Arrays;
import org.sapwood.tensor.Backend;

/**
 * Pooling over 3×3 windows.
 *
 * @param kind what is made of a window
 * @param stride between windows
 * @param padding pixels around the image, 0 or 1; they never count as values of a maximum
 */
record HostPool(Kind kind, int stride, int padding) implements HostLayer {
    private static final int EDGE = 3;

    /** What is made of the pixels of a window. */
    enum Kind {
        /** The largest. */
        MAX,
        /** The sum of those inside the image, divided by 9: PyTorch's {@code count_include_pad=True}. */
        MEAN_WITH_PADDING,
        /** The mean of those inside the image. */
        MEAN
    }

    @Override
    public HostMap apply(Backend backend, HostMap x) {
        int height = (x.height() + 2 * padding - EDGE) / stride + 1;
        int width = (x.width() + 2 * padding - EDGE) / stride + 1;
        float[] y = new float[height * width * x.channels()];
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                pool(x, row * stride - padding, column * stride - padding, y, (row * width + column) * x.channels());
            }
        }
        return new HostMap(y, height, width, x.channels());
    }

    private void pool(HostMap x, int top, int left, float[] y, int to) {
        int channels = x.channels();
        int inside = 0;
        Arrays.fill(y, to, to + channels, kind == Kind.MAX ? Float.NEGATIVE_INFINITY : 0);
        for (int row = Math.max(0, top); row < Math.min(x.height(), top + EDGE); row++) {
            for (int column = Math.max(0, left); column < Math.min(x.width(), left + EDGE); column++) {
                int from = (row * x.width() + column) * channels;
                inside++;
                for (int c = 0; c < channels; c++) {
                    float value = x.values()[from + c];
                    y[to + c] = kind == Kind.MAX ? Math.max(y[to + c], value) : y[to + c] + value;
                }
            }
        }
        if (kind != Kind.MAX) {
            float weight = 1f / (kind == Kind.MEAN ? inside : EDGE * EDGE);
            for (int c = 0; c < channels; c++) {
                y[to + c] *= weight;
            }
        }
    }
}
