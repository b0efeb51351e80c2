package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;
import static org.sapwood.tensor.simd.Lanes.V;

import jdk.incubator.vector.FloatVector;

/**
 * Micro-kernels C = from + A·B for an A whose rows stand anywhere but are contiguous in k: images under a convolution
 * window, activations under a linear layer. Nothing of A is packed; each row brings its own offset.
 *
 * <p>A tile of h rows × w vectors keeps its h·w accumulators in registers. One k step costs w vector loads of B, h
 * broadcasts of A and h·w fused multiply-adds: for 12×2 (24 of the 32 AVX-512 registers) 14 loads to 24 FMAs, so the FMA
 * ports bind and the loads hide. Measured on the 28×28×32 3×3 convolution, one Sapphire Rapids core: 12×2 167 GFLOP/s,
 * 8×2 169, 4×2 120, against a ceiling near 197. Unrolling k by hand lost a quarter (spilled row offsets).
 *
 * <p>Every element of C is one chain of fused multiply-adds in ascending k whatever the tile, so its bits do not depend
 * on where its row stands. Arguments: element (i, p) of A is {@code a[aRow[row + i] + aShift + p]}, row p of B starts at
 * {@code b[bStart + p * ldb]}, the chain starts from {@code from[fromRow[row + i] + fromColumn + j]} and ends in
 * {@code c[cRow[row + i] + cColumn + j]}. All of {@code from} is read before any of C is written, so rows may repeat.
 */
final class GatherKernels {
    private GatherKernels() {}

    /** 12 rows × 2 vectors; see the class comment for the arguments. */
    static void tile12x2(
            float[] a,
            int[] aRow,
            int row,
            int aShift,
            int k,
            float[] b,
            int bStart,
            int ldb,
            float[] from,
            int[] fromRow,
            int fromColumn,
            float[] c,
            int[] cRow,
            int cColumn) {
        int f0 = fromRow[row] + fromColumn;
        int f1 = fromRow[row + 1] + fromColumn;
        int f2 = fromRow[row + 2] + fromColumn;
        int f3 = fromRow[row + 3] + fromColumn;
        int f4 = fromRow[row + 4] + fromColumn;
        int f5 = fromRow[row + 5] + fromColumn;
        int f6 = fromRow[row + 6] + fromColumn;
        int f7 = fromRow[row + 7] + fromColumn;
        int f8 = fromRow[row + 8] + fromColumn;
        int f9 = fromRow[row + 9] + fromColumn;
        int f10 = fromRow[row + 10] + fromColumn;
        int f11 = fromRow[row + 11] + fromColumn;
        FloatVector c00 = FloatVector.fromArray(LANES, from, f0);
        FloatVector c01 = FloatVector.fromArray(LANES, from, f0 + V);
        FloatVector c10 = FloatVector.fromArray(LANES, from, f1);
        FloatVector c11 = FloatVector.fromArray(LANES, from, f1 + V);
        FloatVector c20 = FloatVector.fromArray(LANES, from, f2);
        FloatVector c21 = FloatVector.fromArray(LANES, from, f2 + V);
        FloatVector c30 = FloatVector.fromArray(LANES, from, f3);
        FloatVector c31 = FloatVector.fromArray(LANES, from, f3 + V);
        FloatVector c40 = FloatVector.fromArray(LANES, from, f4);
        FloatVector c41 = FloatVector.fromArray(LANES, from, f4 + V);
        FloatVector c50 = FloatVector.fromArray(LANES, from, f5);
        FloatVector c51 = FloatVector.fromArray(LANES, from, f5 + V);
        FloatVector c60 = FloatVector.fromArray(LANES, from, f6);
        FloatVector c61 = FloatVector.fromArray(LANES, from, f6 + V);
        FloatVector c70 = FloatVector.fromArray(LANES, from, f7);
        FloatVector c71 = FloatVector.fromArray(LANES, from, f7 + V);
        FloatVector c80 = FloatVector.fromArray(LANES, from, f8);
        FloatVector c81 = FloatVector.fromArray(LANES, from, f8 + V);
        FloatVector c90 = FloatVector.fromArray(LANES, from, f9);
        FloatVector c91 = FloatVector.fromArray(LANES, from, f9 + V);
        FloatVector c100 = FloatVector.fromArray(LANES, from, f10);
        FloatVector c101 = FloatVector.fromArray(LANES, from, f10 + V);
        FloatVector c110 = FloatVector.fromArray(LANES, from, f11);
        FloatVector c111 = FloatVector.fromArray(LANES, from, f11 + V);
        int a0 = aRow[row] + aShift;
        int a1 = aRow[row + 1] + aShift;
        int a2 = aRow[row + 2] + aShift;
        int a3 = aRow[row + 3] + aShift;
        int a4 = aRow[row + 4] + aShift;
        int a5 = aRow[row + 5] + aShift;
        int a6 = aRow[row + 6] + aShift;
        int a7 = aRow[row + 7] + aShift;
        int a8 = aRow[row + 8] + aShift;
        int a9 = aRow[row + 9] + aShift;
        int a10 = aRow[row + 10] + aShift;
        int a11 = aRow[row + 11] + aShift;
        int bAt = bStart;
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromArray(LANES, b, bAt);
            FloatVector b1 = FloatVector.fromArray(LANES, b, bAt + V);
            FloatVector x0 = FloatVector.broadcast(LANES, a[a0 + p]);
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
        int o0 = cRow[row] + cColumn;
        c00.intoArray(c, o0);
        c01.intoArray(c, o0 + V);
        int o1 = cRow[row + 1] + cColumn;
        c10.intoArray(c, o1);
        c11.intoArray(c, o1 + V);
        int o2 = cRow[row + 2] + cColumn;
        c20.intoArray(c, o2);
        c21.intoArray(c, o2 + V);
        int o3 = cRow[row + 3] + cColumn;
        c30.intoArray(c, o3);
        c31.intoArray(c, o3 + V);
        int o4 = cRow[row + 4] + cColumn;
        c40.intoArray(c, o4);
        c41.intoArray(c, o4 + V);
        int o5 = cRow[row + 5] + cColumn;
        c50.intoArray(c, o5);
        c51.intoArray(c, o5 + V);
        int o6 = cRow[row + 6] + cColumn;
        c60.intoArray(c, o6);
        c61.intoArray(c, o6 + V);
        int o7 = cRow[row + 7] + cColumn;
        c70.intoArray(c, o7);
        c71.intoArray(c, o7 + V);
        int o8 = cRow[row + 8] + cColumn;
        c80.intoArray(c, o8);
        c81.intoArray(c, o8 + V);
        int o9 = cRow[row + 9] + cColumn;
        c90.intoArray(c, o9);
        c91.intoArray(c, o9 + V);
        int o10 = cRow[row + 10] + cColumn;
        c100.intoArray(c, o10);
        c101.intoArray(c, o10 + V);
        int o11 = cRow[row + 11] + cColumn;
        c110.intoArray(c, o11);
        c111.intoArray(c, o11 + V);
    }

    /** 8 rows × 2 vectors; see the class comment for the arguments. */
    static void tile8x2(
            float[] a,
            int[] aRow,
            int row,
            int aShift,
            int k,
            float[] b,
            int bStart,
            int ldb,
            float[] from,
            int[] fromRow,
            int fromColumn,
            float[] c,
            int[] cRow,
            int cColumn) {
        int f0 = fromRow[row] + fromColumn;
        int f1 = fromRow[row + 1] + fromColumn;
        int f2 = fromRow[row + 2] + fromColumn;
        int f3 = fromRow[row + 3] + fromColumn;
        int f4 = fromRow[row + 4] + fromColumn;
        int f5 = fromRow[row + 5] + fromColumn;
        int f6 = fromRow[row + 6] + fromColumn;
        int f7 = fromRow[row + 7] + fromColumn;
        FloatVector c00 = FloatVector.fromArray(LANES, from, f0);
        FloatVector c01 = FloatVector.fromArray(LANES, from, f0 + V);
        FloatVector c10 = FloatVector.fromArray(LANES, from, f1);
        FloatVector c11 = FloatVector.fromArray(LANES, from, f1 + V);
        FloatVector c20 = FloatVector.fromArray(LANES, from, f2);
        FloatVector c21 = FloatVector.fromArray(LANES, from, f2 + V);
        FloatVector c30 = FloatVector.fromArray(LANES, from, f3);
        FloatVector c31 = FloatVector.fromArray(LANES, from, f3 + V);
        FloatVector c40 = FloatVector.fromArray(LANES, from, f4);
        FloatVector c41 = FloatVector.fromArray(LANES, from, f4 + V);
        FloatVector c50 = FloatVector.fromArray(LANES, from, f5);
        FloatVector c51 = FloatVector.fromArray(LANES, from, f5 + V);
        FloatVector c60 = FloatVector.fromArray(LANES, from, f6);
        FloatVector c61 = FloatVector.fromArray(LANES, from, f6 + V);
        FloatVector c70 = FloatVector.fromArray(LANES, from, f7);
        FloatVector c71 = FloatVector.fromArray(LANES, from, f7 + V);
        int a0 = aRow[row] + aShift;
        int a1 = aRow[row + 1] + aShift;
        int a2 = aRow[row + 2] + aShift;
        int a3 = aRow[row + 3] + aShift;
        int a4 = aRow[row + 4] + aShift;
        int a5 = aRow[row + 5] + aShift;
        int a6 = aRow[row + 6] + aShift;
        int a7 = aRow[row + 7] + aShift;
        int bAt = bStart;
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromArray(LANES, b, bAt);
            FloatVector b1 = FloatVector.fromArray(LANES, b, bAt + V);
            FloatVector x0 = FloatVector.broadcast(LANES, a[a0 + p]);
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
            bAt += ldb;
        }
        int o0 = cRow[row] + cColumn;
        c00.intoArray(c, o0);
        c01.intoArray(c, o0 + V);
        int o1 = cRow[row + 1] + cColumn;
        c10.intoArray(c, o1);
        c11.intoArray(c, o1 + V);
        int o2 = cRow[row + 2] + cColumn;
        c20.intoArray(c, o2);
        c21.intoArray(c, o2 + V);
        int o3 = cRow[row + 3] + cColumn;
        c30.intoArray(c, o3);
        c31.intoArray(c, o3 + V);
        int o4 = cRow[row + 4] + cColumn;
        c40.intoArray(c, o4);
        c41.intoArray(c, o4 + V);
        int o5 = cRow[row + 5] + cColumn;
        c50.intoArray(c, o5);
        c51.intoArray(c, o5 + V);
        int o6 = cRow[row + 6] + cColumn;
        c60.intoArray(c, o6);
        c61.intoArray(c, o6 + V);
        int o7 = cRow[row + 7] + cColumn;
        c70.intoArray(c, o7);
        c71.intoArray(c, o7 + V);
    }

    /** 4 rows × 2 vectors; see the class comment for the arguments. */
    static void tile4x2(
            float[] a,
            int[] aRow,
            int row,
            int aShift,
            int k,
            float[] b,
            int bStart,
            int ldb,
            float[] from,
            int[] fromRow,
            int fromColumn,
            float[] c,
            int[] cRow,
            int cColumn) {
        int f0 = fromRow[row] + fromColumn;
        int f1 = fromRow[row + 1] + fromColumn;
        int f2 = fromRow[row + 2] + fromColumn;
        int f3 = fromRow[row + 3] + fromColumn;
        FloatVector c00 = FloatVector.fromArray(LANES, from, f0);
        FloatVector c01 = FloatVector.fromArray(LANES, from, f0 + V);
        FloatVector c10 = FloatVector.fromArray(LANES, from, f1);
        FloatVector c11 = FloatVector.fromArray(LANES, from, f1 + V);
        FloatVector c20 = FloatVector.fromArray(LANES, from, f2);
        FloatVector c21 = FloatVector.fromArray(LANES, from, f2 + V);
        FloatVector c30 = FloatVector.fromArray(LANES, from, f3);
        FloatVector c31 = FloatVector.fromArray(LANES, from, f3 + V);
        int a0 = aRow[row] + aShift;
        int a1 = aRow[row + 1] + aShift;
        int a2 = aRow[row + 2] + aShift;
        int a3 = aRow[row + 3] + aShift;
        int bAt = bStart;
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromArray(LANES, b, bAt);
            FloatVector b1 = FloatVector.fromArray(LANES, b, bAt + V);
            FloatVector x0 = FloatVector.broadcast(LANES, a[a0 + p]);
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
        int o0 = cRow[row] + cColumn;
        c00.intoArray(c, o0);
        c01.intoArray(c, o0 + V);
        int o1 = cRow[row + 1] + cColumn;
        c10.intoArray(c, o1);
        c11.intoArray(c, o1 + V);
        int o2 = cRow[row + 2] + cColumn;
        c20.intoArray(c, o2);
        c21.intoArray(c, o2 + V);
        int o3 = cRow[row + 3] + cColumn;
        c30.intoArray(c, o3);
        c31.intoArray(c, o3 + V);
    }

    /** 8 rows × 1 vector; see the class comment for the arguments. */
    static void tile8x1(
            float[] a,
            int[] aRow,
            int row,
            int aShift,
            int k,
            float[] b,
            int bStart,
            int ldb,
            float[] from,
            int[] fromRow,
            int fromColumn,
            float[] c,
            int[] cRow,
            int cColumn) {
        int f0 = fromRow[row] + fromColumn;
        int f1 = fromRow[row + 1] + fromColumn;
        int f2 = fromRow[row + 2] + fromColumn;
        int f3 = fromRow[row + 3] + fromColumn;
        int f4 = fromRow[row + 4] + fromColumn;
        int f5 = fromRow[row + 5] + fromColumn;
        int f6 = fromRow[row + 6] + fromColumn;
        int f7 = fromRow[row + 7] + fromColumn;
        FloatVector c00 = FloatVector.fromArray(LANES, from, f0);
        FloatVector c10 = FloatVector.fromArray(LANES, from, f1);
        FloatVector c20 = FloatVector.fromArray(LANES, from, f2);
        FloatVector c30 = FloatVector.fromArray(LANES, from, f3);
        FloatVector c40 = FloatVector.fromArray(LANES, from, f4);
        FloatVector c50 = FloatVector.fromArray(LANES, from, f5);
        FloatVector c60 = FloatVector.fromArray(LANES, from, f6);
        FloatVector c70 = FloatVector.fromArray(LANES, from, f7);
        int a0 = aRow[row] + aShift;
        int a1 = aRow[row + 1] + aShift;
        int a2 = aRow[row + 2] + aShift;
        int a3 = aRow[row + 3] + aShift;
        int a4 = aRow[row + 4] + aShift;
        int a5 = aRow[row + 5] + aShift;
        int a6 = aRow[row + 6] + aShift;
        int a7 = aRow[row + 7] + aShift;
        int bAt = bStart;
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromArray(LANES, b, bAt);
            FloatVector x0 = FloatVector.broadcast(LANES, a[a0 + p]);
            c00 = x0.fma(b0, c00);
            FloatVector x1 = FloatVector.broadcast(LANES, a[a1 + p]);
            c10 = x1.fma(b0, c10);
            FloatVector x2 = FloatVector.broadcast(LANES, a[a2 + p]);
            c20 = x2.fma(b0, c20);
            FloatVector x3 = FloatVector.broadcast(LANES, a[a3 + p]);
            c30 = x3.fma(b0, c30);
            FloatVector x4 = FloatVector.broadcast(LANES, a[a4 + p]);
            c40 = x4.fma(b0, c40);
            FloatVector x5 = FloatVector.broadcast(LANES, a[a5 + p]);
            c50 = x5.fma(b0, c50);
            FloatVector x6 = FloatVector.broadcast(LANES, a[a6 + p]);
            c60 = x6.fma(b0, c60);
            FloatVector x7 = FloatVector.broadcast(LANES, a[a7 + p]);
            c70 = x7.fma(b0, c70);
            bAt += ldb;
        }
        int o0 = cRow[row] + cColumn;
        c00.intoArray(c, o0);
        int o1 = cRow[row + 1] + cColumn;
        c10.intoArray(c, o1);
        int o2 = cRow[row + 2] + cColumn;
        c20.intoArray(c, o2);
        int o3 = cRow[row + 3] + cColumn;
        c30.intoArray(c, o3);
        int o4 = cRow[row + 4] + cColumn;
        c40.intoArray(c, o4);
        int o5 = cRow[row + 5] + cColumn;
        c50.intoArray(c, o5);
        int o6 = cRow[row + 6] + cColumn;
        c60.intoArray(c, o6);
        int o7 = cRow[row + 7] + cColumn;
        c70.intoArray(c, o7);
    }
}
