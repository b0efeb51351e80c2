package org.sapwood.io;

/** The permutation between images as tokens × channels (NHWC), as here, and PyTorch's NCHW. */
public final class Nchw {
    private Nchw() {}

    /** [B, C, T] to [B, T, C]. */
    public static float[] toTokens(float[] nchw, int batch, int tokens, int channels) {
        return transpose(nchw, batch, channels, tokens);
    }

    /** [B, T, C] to [B, C, T]. */
    public static float[] fromTokens(float[] nhwc, int batch, int tokens, int channels) {
        return transpose(nhwc, batch, tokens, channels);
    }

    private static float[] transpose(float[] source, int batch, int rows, int columns) {
        float[] target = new float[source.length];
        for (int b = 0; b < batch; b++) {
            int base = b * rows * columns;
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < columns; c++) {
                    target[base + c * rows + r] = source[base + r * columns + c];
                }
            }
        }
        return target;
    }
}
