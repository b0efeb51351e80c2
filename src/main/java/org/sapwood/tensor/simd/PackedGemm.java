package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.PANEL;
import static org.sapwood.tensor.simd.Lanes.TILE_ROWS;

/**
 * Large matrix products with both factors packed (Goto and van de Geijn 2008): a slice of B in panels of two vectors, a
 * block of A in panels of tile height, so that {@link StridedKernels} reads both in the order it needs them and no power
 * of two between rows makes cache lines collide.
 *
 * <p>The blocks continue the chains of C where the last slice of k stopped, so the bits are those of {@link RowGemm}.
 */
final class PackedGemm {
    /** Rows and depth below which packing does not pay. */
    private static final int SMALL = 64;

    /** Columns below which it does not pay: a packed element of A is used once per column. */
    private static final int NARROW = 256;

    /** Slice of k: a panel of B is 32 KiB with AVX-512 and stays in the first-level cache. */
    private static final int SLICE = 256;

    /** Rows of a packed block of A: 144 KiB, for the second-level cache. */
    private static final int BLOCK_ROWS = 144;

    /** Columns of a packed slice of B: at most 1 MiB. */
    private static final int BLOCK_COLUMNS = 1024;

    private float[] packedA = new float[0];
    private float[] packedB = new float[0];
    private final float[] zeros = new float[PANEL];
    private final float[] edge = new float[TILE_ROWS * PANEL];

    /** Whether a product of this size should come here. */
    static boolean pays(int m, int n, int k) {
        return m >= SMALL && n >= NARROW && k >= SMALL;
    }

    /** C [m, n] = α·op(A)·op(B), or added to C; matrices are dense and row-major. */
    void multiply(
            float[] a,
            int aStart,
            boolean transposeA,
            float[] b,
            int bStart,
            boolean transposeB,
            float alpha,
            int m,
            int n,
            int k,
            float[] c,
            int cStart,
            boolean accumulate) {
        packedA = Lanes.grow(packedA, BLOCK_ROWS * SLICE);
        packedB = Lanes.grow(packedB, SLICE * Lanes.roundToPanel(Math.min(n, BLOCK_COLUMNS)));
        for (int column = 0; column < n; column += BLOCK_COLUMNS) {
            int columns = Math.min(BLOCK_COLUMNS, n - column);
            for (int p = 0; p < k; p += SLICE) {
                int depth = Math.min(SLICE, k - p);
                if (transposeB) {
                    int from = bStart + column * k + p;
                    Panels.packTransposed(b, from, k, depth, columns, alpha, packedB, 0, depth * PANEL);
                } else {
                    Panels.pack(b, bStart + p * n + column, n, depth, columns, alpha, packedB, 0);
                }
                for (int row = 0; row < m; row += BLOCK_ROWS) {
                    int rows = Math.min(BLOCK_ROWS, m - row);
                    if (transposeA) {
                        packColumns(a, aStart + p * m + row, m, rows, depth);
                    } else {
                        packRows(a, aStart + row * k + p, k, rows, depth);
                    }
                    block(rows, columns, depth, c, cStart + row * n + column, n, accumulate || p > 0);
                }
            }
        }
    }

    private void block(int rows, int columns, int depth, float[] c, int cStart, int ldc, boolean started) {
        for (int column = 0; column < columns; column += PANEL) {
            int panelB = column * depth;
            for (int row = 0; row < rows; row += TILE_ROWS) {
                int panelA = row * depth;
                int to = cStart + row * ldc + column;
                int validRows = Math.min(TILE_ROWS, rows - row);
                int validColumns = Math.min(PANEL, columns - column);
                if (validRows == TILE_ROWS && validColumns == PANEL) {
                    tile(panelA, depth, panelB, started ? c : zeros, started ? to : 0, started ? ldc : 0, c, to, ldc);
                    continue;
                }
                for (int i = 0; started && i < validRows; i++) {
                    System.arraycopy(c, to + i * ldc, edge, i * PANEL, validColumns);
                }
                tile(panelA, depth, panelB, started ? edge : zeros, 0, started ? PANEL : 0, edge, 0, PANEL);
                for (int i = 0; i < validRows; i++) {
                    System.arraycopy(edge, i * PANEL, c, to + i * ldc, validColumns);
                }
            }
        }
    }

    private void tile(
            int panelA, int depth, int panelB, float[] from, int fromStart, int ldf, float[] c, int cStart, int ldc) {
        if (TILE_ROWS == 12) {
            StridedKernels.tile12x2(
                    packedA, panelA, 12, depth, packedB, panelB, PANEL, from, fromStart, ldf, c, cStart, ldc);
        } else {
            StridedKernels.tile4x2(
                    packedA, panelA, 4, depth, packedB, panelB, PANEL, from, fromStart, ldf, c, cStart, ldc);
        }
    }

    /** Packs rows that are contiguous in k: panel [depth][TILE_ROWS] after panel; rows past the last are zero. */
    private void packRows(float[] a, int start, int lda, int rows, int depth) {
        float[] packed = packedA;
        for (int row = 0; row < rows; row += TILE_ROWS) {
            int to = row * depth;
            int valid = Math.min(TILE_ROWS, rows - row);
            int i = 0;
            for (; i + 4 <= valid; i += 4) {
                int from = start + (row + i) * lda;
                for (int p = 0; p < depth; p++) {
                    int at = to + p * TILE_ROWS + i;
                    packed[at] = a[from + p];
                    packed[at + 1] = a[from + lda + p];
                    packed[at + 2] = a[from + 2 * lda + p];
                    packed[at + 3] = a[from + 3 * lda + p];
                }
            }
            for (; i < TILE_ROWS; i++) {
                int from = start + (row + i) * lda;
                for (int p = 0; p < depth; p++) {
                    packed[to + p * TILE_ROWS + i] = i < valid ? a[from + p] : 0f;
                }
            }
        }
    }

    /** As {@link #packRows}, for an A stored transposed: row p holds element p of all rows. */
    private void packColumns(float[] a, int start, int lda, int rows, int depth) {
        for (int row = 0; row < rows; row += TILE_ROWS) {
            int valid = Math.min(TILE_ROWS, rows - row);
            int to = row * depth;
            for (int p = 0; p < depth; p++, to += TILE_ROWS) {
                int from = start + p * lda + row;
                for (int i = 0; i < TILE_ROWS; i++) {
                    packedA[to + i] = i < valid ? a[from + i] : 0f;
                }
            }
        }
    }
}
