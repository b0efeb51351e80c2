package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;
import static org.sapwood.tensor.simd.Lanes.V;

import jdk.incubator.vector.FloatVector;

/**
 * Micro-kernels C = A·B for an A whose rows are contiguous in k and, like those of C, at one distance: transformed tiles of
 * an image. That they start from zero and look up no row saves {@link GatherKernels}' entry and exit, which is 10 to 19 %
 * where k is 32 to 96.
 *
 * <p>Every element of C is one chain of fused multiply-adds in ascending k whatever the tile. Arguments: element (i, p)
 * of A is {@code a[aStart + i * lda + p]}, row p of B starts at {@code b[bStart + p * ldb]}, row i of C at
 * {@code c[cStart + i * ldc]}.
 */
final class RowKernels {
    private RowKernels() {}

    /** 12 rows × 2 vectors; see the class comment for the arguments. */
    static void tile12x2(
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
        int a1 = aStart + lda;
        int a2 = aStart + 2 * lda;
        int a3 = aStart + 3 * lda;
        int a4 = aStart + 4 * lda;
        int a5 = aStart + 5 * lda;
        int a6 = aStart + 6 * lda;
        int a7 = aStart + 7 * lda;
        int a8 = aStart + 8 * lda;
        int a9 = aStart + 9 * lda;
        int a10 = aStart + 10 * lda;
        int a11 = aStart + 11 * lda;
        int bAt = bStart;
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromArray(LANES, b, bAt);
            FloatVector b1 = FloatVector.fromArray(LANES, b, bAt + V);
            FloatVector x0 = FloatVector.broadcast(LANES, a[aStart + p]);
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            FloatVector x1 = FloatVector.broadcast(LANES, a[a1 + p]);
            c10 = x1.fma(b0, c10);
            c11 = x1.fma(b1, c11);
            FloatVector x2 = FloatVector.broadcast(LANES, a[a2 + p]);
            c20 = x2.fma(b0, c20);
            c21 = x2.fma(b1, c21);
            FloatVector x3 = FloatVector.broadcast(LANES, a[a3 + p]);
            c30 = x3.fma(b0, c30);
            c31 = x3.fma(b1, c31);
            FloatVector x4 = FloatVector.broadcast(LANES, a[a4 + p]);
            c40 = x4.fma(b0, c40);
            c41 = x4.fma(b1, c41);
            FloatVector x5 = FloatVector.broadcast(LANES, a[a5 + p]);
            c50 = x5.fma(b0, c50);
            c51 = x5.fma(b1, c51);
            FloatVector x6 = FloatVector.broadcast(LANES, a[a6 + p]);
            c60 = x6.fma(b0, c60);
            c61 = x6.fma(b1, c61);
            FloatVector x7 = FloatVector.broadcast(LANES, a[a7 + p]);
            c70 = x7.fma(b0, c70);
            c71 = x7.fma(b1, c71);
            FloatVector x8 = FloatVector.broadcast(LANES, a[a8 + p]);
            c80 = x8.fma(b0, c80);
            c81 = x8.fma(b1, c81);
            FloatVector x9 = FloatVector.broadcast(LANES, a[a9 + p]);
            c90 = x9.fma(b0, c90);
            c91 = x9.fma(b1, c91);
            FloatVector x10 = FloatVector.broadcast(LANES, a[a10 + p]);
            c100 = x10.fma(b0, c100);
            c101 = x10.fma(b1, c101);
            FloatVector x11 = FloatVector.broadcast(LANES, a[a11 + p]);
            c110 = x11.fma(b0, c110);
            c111 = x11.fma(b1, c111);
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

    /** 4 rows × 2 vectors; see the class comment for the arguments. */
    static void tile4x2(
            float[] a, int aStart, int lda, int k, float[] b, int bStart, int ldb, float[] c, int cStart, int ldc) {
        FloatVector c00 = FloatVector.zero(LANES);
        FloatVector c01 = FloatVector.zero(LANES);
        FloatVector c10 = FloatVector.zero(LANES);
        FloatVector c11 = FloatVector.zero(LANES);
        FloatVector c20 = FloatVector.zero(LANES);
        FloatVector c21 = FloatVector.zero(LANES);
        FloatVector c30 = FloatVector.zero(LANES);
        FloatVector c31 = FloatVector.zero(LANES);
        int a1 = aStart + lda;
        int a2 = aStart + 2 * lda;
        int a3 = aStart + 3 * lda;
        int bAt = bStart;
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromArray(LANES, b, bAt);
            FloatVector b1 = FloatVector.fromArray(LANES, b, bAt + V);
            FloatVector x0 = FloatVector.broadcast(LANES, a[aStart + p]);
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            FloatVector x1 = FloatVector.broadcast(LANES, a[a1 + p]);
            c10 = x1.fma(b0, c10);
            c11 = x1.fma(b1, c11);
            FloatVector x2 = FloatVector.broadcast(LANES, a[a2 + p]);
            c20 = x2.fma(b0, c20);
            c21 = x2.fma(b1, c21);
            FloatVector x3 = FloatVector.broadcast(LANES, a[a3 + p]);
            c30 = x3.fma(b0, c30);
            c31 = x3.fma(b1, c31);
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
