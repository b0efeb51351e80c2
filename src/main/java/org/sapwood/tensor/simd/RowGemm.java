package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.MAX_TILE_ROWS;
import static org.sapwood.tensor.simd.Lanes.PANEL;
import static org.sapwood.tensor.simd.Lanes.TILE_ROWS;
import static org.sapwood.tensor.simd.Lanes.V;

import java.util.Arrays;

/**
 * Drives {@link GatherKernels} over a whole product C = from + A·B, where A is a table of rows that are contiguous in k.
 *
 * <p>The caller fills {@link #aRow} and {@link #cRow} with the offset of each row of A and C, calls {@link #setRows}, sets
 * where the chains start, and then multiplies one slice of k after the other. k is cut so that the slice of a B panel
 * stays in the first-level cache while all rows pass; since a slice continues the chains where the last one stopped, the
 * cut changes no bit.
 */
final class RowGemm {
    /** Longest slice of k: 256 × 2 vectors of 64 bytes are 32 KiB of the 48 KiB first-level cache. */
    private static final int SLICE = 256;

    /** Offset of each row of A. */
    int[] aRow = new int[0];

    /** Offset of each row of C. */
    int[] cRow = new int[0];

    private int rows;
    private int[] zeroRow = new int[0];
    private int[] edgeRow = new int[0];
    private float[] edge = new float[0];
    private float[] start = new float[0];

    /** Makes the row tables large enough for {@code count} rows; entries keep their values. */
    void reserve(int count) {
        int padded = count + MAX_TILE_ROWS;
        aRow = Lanes.grow(aRow, padded);
        cRow = Lanes.grow(cRow, padded);
        if (zeroRow.length < padded) {
            zeroRow = new int[aRow.length];
            edgeRow = new int[aRow.length];
            for (int i = 0; i < edgeRow.length; i++) {
                edgeRow[i] = i * PANEL;
            }
        }
    }

    /** Rows at a constant distance, as in a plain matrix. */
    void setUniformRows(int count, int aStart, int lda, int cStart, int ldc) {
        reserve(count);
        for (int i = 0; i < count; i++) {
            aRow[i] = aStart + i * lda;
            cRow[i] = cStart + i * ldc;
        }
        setRows(count);
    }

    /**
     * Declares the first {@code count} entries of the tables valid. The entries after them repeat the last row: a tile
     * that runs over the edge computes that row several times and writes the same bits.
     */
    void setRows(int count) {
        rows = count;
        if (count > 0) {
            for (int i = count; i < count + MAX_TILE_ROWS; i++) {
                aRow[i] = aRow[count - 1];
                cRow[i] = cRow[count - 1];
            }
        }
    }

    /** Sets C to zero or to {@code bias} broadcast along rows, as the start of the chains: returns that row. */
    float[] startRow(float[] bias, int biasStart, int n, boolean hasBias) {
        int padded = Lanes.roundToPanel(n);
        start = Lanes.grow(start, padded);
        int filled = hasBias ? n : 0;
        System.arraycopy(bias, biasStart, start, 0, filled);
        Arrays.fill(start, filled, padded, 0f);
        return start;
    }

    /** As {@link #zeroStart}, with −∞ in columns [valid, n): their results are −∞ (or NaN), whatever B holds there. */
    float[] maskedStart(int valid, int n) {
        float[] row = zeroStart(n);
        Arrays.fill(row, valid, n, Float.NEGATIVE_INFINITY);
        return row;
    }

    /** A row of zeros as the start of the chains. */
    float[] zeroStart(int n) {
        return startRow(start, 0, n, false);
    }

    /**
     * C = startRow + A·B, then further calls of {@link #add} continue the chains.
     *
     * @param aShift added to every row offset of A
     * @param k length of this part of the sum
     * @param b right factor
     * @param bStart index of row 0, column 0 of this part of B
     * @param ldb distance between rows of B
     * @param panelStep distance between panels of two vectors in B
     * @param n columns of C; unless B is packed, a multiple of V
     */
    void begin(
            float[] a,
            int aShift,
            int k,
            float[] b,
            int bStart,
            int ldb,
            int panelStep,
            int n,
            float[] startRow,
            float[] c) {
        int first = Math.min(k, SLICE);
        slice(a, aShift, first, b, bStart, ldb, panelStep, n, startRow, zeroRow, c);
        if (first < k) {
            add(a, aShift + first, k - first, b, bStart + first * ldb, ldb, panelStep, n, c);
        }
    }

    /** C += A·B; arguments as in {@link #begin}. */
    void add(float[] a, int aShift, int k, float[] b, int bStart, int ldb, int panelStep, int n, float[] c) {
        for (int from = 0; from < k; from += SLICE) {
            slice(a, aShift + from, Math.min(SLICE, k - from), b, bStart + from * ldb, ldb, panelStep, n, c, cRow, c);
        }
    }

    private void slice(
            float[] a,
            int aShift,
            int k,
            float[] b,
            int bStart,
            int ldb,
            int panelStep,
            int n,
            float[] from,
            int[] fromRow,
            float[] c) {
        for (int column = 0; column < n; column += PANEL) {
            int panel = bStart + column / PANEL * panelStep;
            int valid = Math.min(PANEL, n - column);
            if (valid == PANEL) {
                panelOfTwo(a, aShift, k, b, panel, ldb, from, fromRow, column, c, cRow, column);
            } else if (valid == V) {
                panelOfOne(a, aShift, k, b, panel, ldb, from, fromRow, column, c, cRow, column);
            } else {
                partialPanel(a, aShift, k, b, panel, ldb, from, fromRow, column, c, valid);
            }
        }
    }

    private void panelOfTwo(
            float[] a,
            int aShift,
            int k,
            float[] b,
            int panel,
            int ldb,
            float[] from,
            int[] fromRow,
            int fromColumn,
            float[] c,
            int[] toRow,
            int column) {
        int row = 0;
        if (TILE_ROWS == 12) {
            for (; rows - row > 8; row += 12) {
                GatherKernels.tile12x2(
                        a, aRow, row, aShift, k, b, panel, ldb, from, fromRow, fromColumn, c, toRow, column);
            }
            if (rows - row > 4) {
                GatherKernels.tile8x2(
                        a, aRow, row, aShift, k, b, panel, ldb, from, fromRow, fromColumn, c, toRow, column);
                row += 8;
            }
        }
        for (; row < rows; row += 4) {
            GatherKernels.tile4x2(a, aRow, row, aShift, k, b, panel, ldb, from, fromRow, fromColumn, c, toRow, column);
        }
    }

    private void panelOfOne(
            float[] a,
            int aShift,
            int k,
            float[] b,
            int panel,
            int ldb,
            float[] from,
            int[] fromRow,
            int fromColumn,
            float[] c,
            int[] toRow,
            int column) {
        for (int row = 0; row < rows; row += 8) {
            GatherKernels.tile8x1(a, aRow, row, aShift, k, b, panel, ldb, from, fromRow, fromColumn, c, toRow, column);
        }
    }

    /** A last panel narrower than its vectors: computed beside C, of which only {@code valid} columns are copied. */
    @SuppressWarnings("ReferenceEquality") // asks whether both name the same memory
    private void partialPanel(
            float[] a,
            int aShift,
            int k,
            float[] b,
            int panel,
            int ldb,
            float[] from,
            int[] fromRow,
            int column,
            float[] c,
            int valid) {
        edge = Lanes.grow(edge, (rows + MAX_TILE_ROWS) * PANEL);
        float[] source = from;
        int[] sourceRow = fromRow;
        int sourceColumn = column;
        if (fromRow == cRow) {
            for (int row = 0; row < rows; row++) {
                System.arraycopy(from, fromRow[row] + column, edge, row * PANEL, valid);
            }
            source = edge;
            sourceRow = edgeRow;
            sourceColumn = 0;
        }
        if (valid <= V) {
            panelOfOne(a, aShift, k, b, panel, ldb, source, sourceRow, sourceColumn, edge, edgeRow, 0);
        } else {
            panelOfTwo(a, aShift, k, b, panel, ldb, source, sourceRow, sourceColumn, edge, edgeRow, 0);
        }
        for (int row = 0; row < rows; row++) {
            int to = cRow[row] + column;
            for (int j = 0; j < valid; j++) {
                c[to + j] = edge[row * PANEL + j];
            }
        }
    }
}
