package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;
import static org.sapwood.tensor.simd.Lanes.V;

import jdk.incubator.vector.FloatVector;

/**
 * Micro-kernels C = A·B for an A that is contiguous across the rows of C: transformed tiles of an image, k being the tiles.
 * As {@link StridedKernels}, but starting from zero, which counts where k is short: with k = 14 it saves a quarter of the
 * time. One method for both by a flag would not do, since the compiler then keeps the accumulators worse.
 *
 * <p>Every element of C is one chain of fused multiply-adds in ascending k whatever the tile. Arguments: element (i, p)
 * of A is {@code a[aStart + p * lda + i]}, row p of B starts at {@code b[bStart + p * ldb]}, row i of C at
 * {@code c[cStart + i * ldc]}.
 */
final class ColumnKernels {
    private ColumnKernels() {}

    /** {@code height} rows × 2 vectors, 12, 8 or 4; see the class comment for the arguments. */
    static void tile(
            int height,
            float[] a,
            int aStart,
            int lda,
            int k,
            float[] b,
            int bStart,
            int ldb,
            float[] c,
            int cStart,
            int ldc) {
        switch (height) {
            case 12 -> tile12x2(a, aStart, lda, k, b, bStart, ldb, c, cStart, ldc);
            case 8 -> tile8x2(a, aStart, lda, k, b, bStart, ldb, c, cStart, ldc);
            default -> tile4x2(a, aStart, lda, k, b, bStart, ldb, c, cStart, ldc);
        }
    }

    private static void tile12x2(
            float[] a, int aStart, int lda, int k, float[] b, int bStart, int ldb, float[] c, int cStart, int ldc) {
        FloatVector c00 = FloatVector.zero(LANES);
        FloatVector c01 = FloatVector.zero(LANES);
        FloatVector c10 = FloatVector.zero(LANES);
        FloatVector c11 = FloatVector.zero(LANES);
        FloatVector c20 = FloatVector.zero(LANES);
        FloatVector c21 = FloatVector.zero(LANES);
        FloatVector c30 = FloatVector.zero(LANES);
        FloatVector c31 = FloatVector.zero(LANES);
        FloatVector c40 = FloatVector.zero(LANES);
        FloatVector c41 = FloatVector.zero(LANES);
        FloatVector c50 = FloatVector.zero(LANES);
        FloatVector c51 = FloatVector.zero(LANES);
        FloatVector c60 = FloatVector.zero(LANES);
        FloatVector c61 = FloatVector.zero(LANES);
        FloatVector c70 = FloatVector.zero(LANES);
        FloatVector c71 = FloatVector.zero(LANES);
        FloatVector c80 = FloatVector.zero(LANES);
        FloatVector c81 = FloatVector.zero(LANES);
        FloatVector c90 = FloatVector.zero(LANES);
        FloatVector c91 = FloatVector.zero(LANES);
        FloatVector c100 = FloatVector.zero(LANES);
        FloatVector c101 = FloatVector.zero(LANES);
        FloatVector c110 = FloatVector.zero(LANES);
        FloatVector c111 = FloatVector.zero(LANES);
        int aAt = aStart;
        int bAt = bStart;
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromArray(LANES, b, bAt);
            FloatVector b1 = FloatVector.fromArray(LANES, b, bAt + V);
            FloatVector x0 = FloatVector.broadcast(LANES, a[aAt]);
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            FloatVector x1 = FloatVector.broadcast(LANES, a[aAt + 1]);
            c10 = x1.fma(b0, c10);
            c11 = x1.fma(b1, c11);
            FloatVector x2 = FloatVector.broadcast(LANES, a[aAt + 2]);
            c20 = x2.fma(b0, c20);
            c21 = x2.fma(b1, c21);
            FloatVector x3 = FloatVector.broadcast(LANES, a[aAt + 3]);
            c30 = x3.fma(b0, c30);
            c31 = x3.fma(b1, c31);
            FloatVector x4 = FloatVector.broadcast(LANES, a[aAt + 4]);
            c40 = x4.fma(b0, c40);
            c41 = x4.fma(b1, c41);
            FloatVector x5 = FloatVector.broadcast(LANES, a[aAt + 5]);
            c50 = x5.fma(b0, c50);
            c51 = x5.fma(b1, c51);
            FloatVector x6 = FloatVector.broadcast(LANES, a[aAt + 6]);
            c60 = x6.fma(b0, c60);
            c61 = x6.fma(b1, c61);
            FloatVector x7 = FloatVector.broadcast(LANES, a[aAt + 7]);
            c70 = x7.fma(b0, c70);
            c71 = x7.fma(b1, c71);
            FloatVector x8 = FloatVector.broadcast(LANES, a[aAt + 8]);
            c80 = x8.fma(b0, c80);
            c81 = x8.fma(b1, c81);
            FloatVector x9 = FloatVector.broadcast(LANES, a[aAt + 9]);
            c90 = x9.fma(b0, c90);
            c91 = x9.fma(b1, c91);
            FloatVector x10 = FloatVector.broadcast(LANES, a[aAt + 10]);
            c100 = x10.fma(b0, c100);
            c101 = x10.fma(b1, c101);
            FloatVector x11 = FloatVector.broadcast(LANES, a[aAt + 11]);
            c110 = x11.fma(b0, c110);
            c111 = x11.fma(b1, c111);
            aAt += lda;
            bAt += ldb;
        }
        c00.intoArray(c, cStart);
        c01.intoArray(c, cStart + V);
        c10.intoArray(c, cStart + ldc);
        c11.intoArray(c, cStart + ldc + V);
        c20.intoArray(c, cStart + 2 * ldc);
        c21.intoArray(c, cStart + 2 * ldc + V);
        c30.intoArray(c, cStart + 3 * ldc);
        c31.intoArray(c, cStart + 3 * ldc + V);
        c40.intoArray(c, cStart + 4 * ldc);
        c41.intoArray(c, cStart + 4 * ldc + V);
        c50.intoArray(c, cStart + 5 * ldc);
        c51.intoArray(c, cStart + 5 * ldc + V);
        c60.intoArray(c, cStart + 6 * ldc);
        c61.intoArray(c, cStart + 6 * ldc + V);
        c70.intoArray(c, cStart + 7 * ldc);
        c71.intoArray(c, cStart + 7 * ldc + V);
        c80.intoArray(c, cStart + 8 * ldc);
        c81.intoArray(c, cStart + 8 * ldc + V);
        c90.intoArray(c, cStart + 9 * ldc);
        c91.intoArray(c, cStart + 9 * ldc + V);
        c100.intoArray(c, cStart + 10 * ldc);
        c101.intoArray(c, cStart + 10 * ldc + V);
        c110.intoArray(c, cStart + 11 * ldc);
        c111.intoArray(c, cStart + 11 * ldc + V);
    }

    private static void tile8x2(
            float[] a, int aStart, int lda, int k, float[] b, int bStart, int ldb, float[] c, int cStart, int ldc) {
        FloatVector c00 = FloatVector.zero(LANES);
        FloatVector c01 = FloatVector.zero(LANES);
        FloatVector c10 = FloatVector.zero(LANES);
        FloatVector c11 = FloatVector.zero(LANES);
        FloatVector c20 = FloatVector.zero(LANES);
        FloatVector c21 = FloatVector.zero(LANES);
        FloatVector c30 = FloatVector.zero(LANES);
        FloatVector c31 = FloatVector.zero(LANES);
        FloatVector c40 = FloatVector.zero(LANES);
        FloatVector c41 = FloatVector.zero(LANES);
        FloatVector c50 = FloatVector.zero(LANES);
        FloatVector c51 = FloatVector.zero(LANES);
        FloatVector c60 = FloatVector.zero(LANES);
        FloatVector c61 = FloatVector.zero(LANES);
        FloatVector c70 = FloatVector.zero(LANES);
        FloatVector c71 = FloatVector.zero(LANES);
        int aAt = aStart;
        int bAt = bStart;
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromArray(LANES, b, bAt);
            FloatVector b1 = FloatVector.fromArray(LANES, b, bAt + V);
            FloatVector x0 = FloatVector.broadcast(LANES, a[aAt]);
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            FloatVector x1 = FloatVector.broadcast(LANES, a[aAt + 1]);
            c10 = x1.fma(b0, c10);
            c11 = x1.fma(b1, c11);
            FloatVector x2 = FloatVector.broadcast(LANES, a[aAt + 2]);
            c20 = x2.fma(b0, c20);
            c21 = x2.fma(b1, c21);
            FloatVector x3 = FloatVector.broadcast(LANES, a[aAt + 3]);
            c30 = x3.fma(b0, c30);
            c31 = x3.fma(b1, c31);
            FloatVector x4 = FloatVector.broadcast(LANES, a[aAt + 4]);
            c40 = x4.fma(b0, c40);
            c41 = x4.fma(b1, c41);
            FloatVector x5 = FloatVector.broadcast(LANES, a[aAt + 5]);
            c50 = x5.fma(b0, c50);
            c51 = x5.fma(b1, c51);
            FloatVector x6 = FloatVector.broadcast(LANES, a[aAt + 6]);
            c60 = x6.fma(b0, c60);
            c61 = x6.fma(b1, c61);
            FloatVector x7 = FloatVector.broadcast(LANES, a[aAt + 7]);
            c70 = x7.fma(b0, c70);
            c71 = x7.fma(b1, c71);
            aAt += lda;
            bAt += ldb;
        }
        c00.intoArray(c, cStart);
        c01.intoArray(c, cStart + V);
        c10.intoArray(c, cStart + ldc);
        c11.intoArray(c, cStart + ldc + V);
        c20.intoArray(c, cStart + 2 * ldc);
        c21.intoArray(c, cStart + 2 * ldc + V);
        c30.intoArray(c, cStart + 3 * ldc);
        c31.intoArray(c, cStart + 3 * ldc + V);
        c40.intoArray(c, cStart + 4 * ldc);
        c41.intoArray(c, cStart + 4 * ldc + V);
        c50.intoArray(c, cStart + 5 * ldc);
        c51.intoArray(c, cStart + 5 * ldc + V);
        c60.intoArray(c, cStart + 6 * ldc);
        c61.intoArray(c, cStart + 6 * ldc + V);
        c70.intoArray(c, cStart + 7 * ldc);
        c71.intoArray(c, cStart + 7 * ldc + V);
    }

    private static void tile4x2(
            float[] a, int aStart, int lda, int k, float[] b, int bStart, int ldb, float[] c, int cStart, int ldc) {
        FloatVector c00 = FloatVector.zero(LANES);
        FloatVector c01 = FloatVector.zero(LANES);
        FloatVector c10 = FloatVector.zero(LANES);
        FloatVector c11 = FloatVector.zero(LANES);
        FloatVector c20 = FloatVector.zero(LANES);
        FloatVector c21 = FloatVector.zero(LANES);
        FloatVector c30 = FloatVector.zero(LANES);
        FloatVector c31 = FloatVector.zero(LANES);
        int aAt = aStart;
        int bAt = bStart;
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromArray(LANES, b, bAt);
            FloatVector b1 = FloatVector.fromArray(LANES, b, bAt + V);
            FloatVector x0 = FloatVector.broadcast(LANES, a[aAt]);
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            FloatVector x1 = FloatVector.broadcast(LANES, a[aAt + 1]);
            c10 = x1.fma(b0, c10);
            c11 = x1.fma(b1, c11);
            FloatVector x2 = FloatVector.broadcast(LANES, a[aAt + 2]);
            c20 = x2.fma(b0, c20);
            c21 = x2.fma(b1, c21);
            FloatVector x3 = FloatVector.broadcast(LANES, a[aAt + 3]);
            c30 = x3.fma(b0, c30);
            c31 = x3.fma(b1, c31);
            aAt += lda;
            bAt += ldb;
        }
        c00.intoArray(c, cStart);
        c01.intoArray(c, cStart + V);
        c10.intoArray(c, cStart + ldc);
        c11.intoArray(c, cStart + ldc + V);
        c20.intoArray(c, cStart + 2 * ldc);
        c21.intoArray(c, cStart + 2 * ldc + V);
        c30.intoArray(c, cStart + 3 * ldc);
        c31.intoArray(c, cStart + 3 * ldc + V);
    }
}
