package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.PANEL;

/**
 * Packs the right factor of a product into panels of two vectors: [ceil(N / panel)][K][panel], zero-padded. Needed where
 * it is stored transposed or its width is not a multiple of the vector.
 */
final class Panels {
    private Panels() {}

    /** Floats that the packed form of a [k, n] matrix takes. */
    static int size(int k, int n) {
        return k * Lanes.roundToPanel(n);
    }

    /** Packs {@code alpha}·B for B [k, n] with rows {@code ldb} apart. */
    static void pack(float[] b, int bStart, int ldb, int k, int n, float alpha, float[] packed, int to) {
        for (int column = 0; column < n; column += PANEL) {
            int valid = Math.min(PANEL, n - column);
            for (int p = 0; p < k; p++) {
                int from = bStart + p * ldb + column;
                for (int j = 0; j < valid; j++) {
                    packed[to + j] = alpha * b[from + j];
                }
                for (int j = valid; j < PANEL; j++) {
                    packed[to + j] = 0f;
                }
                to += PANEL;
            }
        }
    }

    /**
     * Packs {@code alpha}·B for B [k, n] given as its transpose: element (p, j) stands at {@code b[bStart + j * ldb + p]}.
     * Successive panels are {@code panelStep} apart, so that several such blocks can be interleaved along k.
     */
    static void packTransposed(
            float[] b, int bStart, int ldb, int k, int n, float alpha, float[] packed, int to, int panelStep) {
        for (int column = 0; column < n; column += PANEL, to += panelStep) {
            int valid = Math.min(PANEL, n - column);
            int j = 0;
            for (; j + 4 <= valid; j += 4) {
                int from = bStart + (column + j) * ldb;
                for (int p = 0; p < k; p++) {
                    int at = to + p * PANEL + j;
                    packed[at] = alpha * b[from + p];
                    packed[at + 1] = alpha * b[from + ldb + p];
                    packed[at + 2] = alpha * b[from + 2 * ldb + p];
                    packed[at + 3] = alpha * b[from + 3 * ldb + p];
                }
            }
            for (; j < PANEL; j++) {
                int from = bStart + (column + j) * ldb;
                for (int p = 0; p < k; p++) {
                    packed[to + p * PANEL + j] = j < valid ? alpha * b[from + p] : 0f;
                }
            }
        }
    }
}
