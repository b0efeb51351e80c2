package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.PANEL;

/**
 * Drives {@link StridedKernels} over a whole product C = Aᵀ·B, where A [K, M] and B [K, N] both have their k-th row
 * contiguous: the shape of every weight gradient, k being the tokens.
 *
 * <p>k may come in equal segments, such as the rows of a padded image, each at a constant distance from the last. The
 * chain of every element of C runs through all segments in order. Columns of A or B that do not fill a tile are copied to
 * zero-padded panels first.
 */
final class ColumnGemm {
    /** Rows of the narrowest tile, to which the edge of M is padded. */
    private static final int EDGE_ROWS = 4;

    /** Longest run of k between two visits of a tile of C: keeps the rows of A and B that all tiles share in cache. */
    private static final int SLICE = 128;

    private float[] a = new float[0];
    private int aStart;
    private int lda;
    private int aSegment;
    private float[] b = new float[0];
    private int bStart;
    private int ldb;
    private int bSegment;
    private int segments;
    private int length;

    private float[] aEdge = new float[0];
    private float[] bEdge = new float[0];
    private float[] cEdge = new float[0];
    private float[] zeros = new float[0];

    /** The left factor: row p of segment s starts at {@code a[start + s * segment + p * ld]}. */
    ColumnGemm left(float[] array, int start, int ld, int segment) {
        a = array;
        aStart = start;
        lda = ld;
        aSegment = segment;
        return this;
    }

    /** The right factor, as {@link #left}. */
    ColumnGemm right(float[] array, int start, int ld, int segment) {
        b = array;
        bStart = start;
        ldb = ld;
        bSegment = segment;
        return this;
    }

    /** K = {@code count} segments of {@code perSegment} rows. */
    ColumnGemm over(int count, int perSegment) {
        segments = count;
        length = perSegment;
        return this;
    }

    /** C [m, n] = Aᵀ·B; with {@code accumulate} the chains start from what stands in C. */
    void multiply(int m, int n, float[] c, int cStart, int ldc, boolean accumulate) {
        int mainRows = m - m % EDGE_ROWS;
        int mainColumns = n - n % PANEL;
        zeros = Lanes.grow(zeros, Lanes.roundToPanel(n));
        block(a, aStart, lda, aSegment, b, bStart, ldb, bSegment, mainRows, mainColumns, c, cStart, ldc, accumulate);
        int restRows = m - mainRows;
        int restColumns = n - mainColumns;
        if (restColumns > 0) {
            bEdge = packEdge(bEdge, b, bStart + mainColumns, ldb, bSegment, restColumns, PANEL);
            int to = cStart + mainColumns;
            loadEdge(c, to, ldc, mainRows, restColumns, PANEL, accumulate);
            int edgeSegment = length * PANEL;
            block(a, aStart, lda, aSegment, bEdge, 0, PANEL, edgeSegment, mainRows, PANEL, cEdge, 0, PANEL, accumulate);
            storeEdge(c, to, ldc, mainRows, restColumns, PANEL);
        }
        if (restRows > 0) {
            aEdge = packEdge(aEdge, a, aStart + mainRows, lda, aSegment, restRows, EDGE_ROWS);
            int edgeSegment = length * EDGE_ROWS;
            if (mainColumns > 0) {
                int to = cStart + mainRows * ldc;
                loadEdge(c, to, ldc, restRows, mainColumns, mainColumns, accumulate);
                block(
                        aEdge,
                        0,
                        EDGE_ROWS,
                        edgeSegment,
                        b,
                        bStart,
                        ldb,
                        bSegment,
                        EDGE_ROWS,
                        mainColumns,
                        cEdge,
                        0,
                        mainColumns,
                        accumulate);
                storeEdge(c, to, ldc, restRows, mainColumns, mainColumns);
            }
            if (restColumns > 0) {
                int to = cStart + mainRows * ldc + mainColumns;
                loadEdge(c, to, ldc, restRows, restColumns, PANEL, accumulate);
                block(
                        aEdge,
                        0,
                        EDGE_ROWS,
                        edgeSegment,
                        bEdge,
                        0,
                        PANEL,
                        length * PANEL,
                        EDGE_ROWS,
                        PANEL,
                        cEdge,
                        0,
                        PANEL,
                        accumulate);
                storeEdge(c, to, ldc, restRows, restColumns, PANEL);
            }
        }
    }

    private float[] packEdge(float[] buffer, float[] source, int start, int ld, int segment, int valid, int padded) {
        float[] packed = Lanes.grow(buffer, segments * length * padded);
        int to = 0;
        for (int s = 0; s < segments; s++) {
            for (int p = 0; p < length; p++) {
                int at = start + s * segment + p * ld;
                for (int j = 0; j < valid; j++) {
                    packed[to + j] = source[at + j];
                }
                for (int j = valid; j < padded; j++) {
                    packed[to + j] = 0f;
                }
                to += padded;
            }
        }
        return packed;
    }

    private void loadEdge(float[] c, int from, int ldc, int rows, int valid, int padded, boolean accumulate) {
        cEdge = Lanes.grow(cEdge, Math.max(rows, EDGE_ROWS) * padded);
        for (int i = 0; accumulate && i < rows; i++) {
            System.arraycopy(c, from + i * ldc, cEdge, i * padded, valid);
        }
    }

    private void storeEdge(float[] c, int to, int ldc, int rows, int valid, int padded) {
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < valid; j++) {
                c[to + i * ldc + j] = cEdge[i * padded + j];
            }
        }
    }

    /** {@code m} a multiple of {@link #EDGE_ROWS}, {@code n} of a panel. */
    private void block(
            float[] left,
            int leftStart,
            int leftLd,
            int leftSegment,
            float[] right,
            int rightStart,
            int rightLd,
            int rightSegment,
            int m,
            int n,
            float[] c,
            int cStart,
            int ldc,
            boolean accumulate) {
        boolean started = accumulate;
        for (int s = 0; s < segments; s++) {
            for (int p = 0; p < length || (p == 0 && !started); p += SLICE) {
                int k = Math.min(SLICE, length - p);
                int aAt = leftStart + s * leftSegment + p * leftLd;
                int bAt = rightStart + s * rightSegment + p * rightLd;
                slice(left, aAt, leftLd, k, right, bAt, rightLd, m, n, c, cStart, ldc, started);
                started = true;
            }
        }
    }

    private void slice(
            float[] left,
            int leftStart,
            int leftLd,
            int k,
            float[] right,
            int rightStart,
            int rightLd,
            int m,
            int n,
            float[] c,
            int cStart,
            int ldc,
            boolean started) {
        for (int column = 0; column < n; column += PANEL) {
            int bAt = rightStart + column;
            for (int row = 0; row < m; ) {
                int height = Lanes.tileHeight(m - row);
                int cAt = cStart + row * ldc + column;
                float[] from = started ? c : zeros;
                int fromAt = started ? cAt : 0;
                int ldf = started ? ldc : 0;
                int aAt = leftStart + row;
                switch (height) {
                    case 12 ->
                        StridedKernels.tile12x2(
                                left, aAt, leftLd, k, right, bAt, rightLd, from, fromAt, ldf, c, cAt, ldc);
                    case 8 ->
                        StridedKernels.tile8x2(
                                left, aAt, leftLd, k, right, bAt, rightLd, from, fromAt, ldf, c, cAt, ldc);
                    default ->
                        StridedKernels.tile4x2(
                                left, aAt, leftLd, k, right, bAt, rightLd, from, fromAt, ldf, c, cAt, ldc);
                }
                row += height;
            }
        }
    }
}
