package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;
import static org.sapwood.tensor.simd.Lanes.V;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.HeapStorage;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/**
 * Per-sample parameter gradients, their norms, and exact summation on an integer grid.
 *
 * <p>A gradient that must be scaled or added is finished in scratch first and joined to its row in one pass, as
 * {@link GradientRows} demands; otherwise it is computed in place.
 */
final class SimdPrivateGradients {
    private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;

    /** Doubles per vector, half the lanes of a float vector. */
    private static final int D = DOUBLES.length();

    /**
     * 1.5·2⁵²: adding it to |v| &lt; 2⁵¹ rounds v to an integer, ties to even as {@link Math#rint}, and leaves that integer
     * in the low bits, many times faster than a conversion. A product of two floats is exact in double, so it may be
     * fused with that addition.
     */
    private static final double ROUND = 0x1.8p52;

    private static final long ROUND_BITS = Double.doubleToRawLongBits(ROUND);

    /** Columns of all rows that go together: their sums, 256 KiB, stay in the second-level cache for the next four rows. */
    private static final int STRETCH = 1 << 15;

    private final Backend scalar;
    private final ColumnGemm columnGemm;
    private final SimdConvolution convolution;
    private final double[] lanes = new double[D];
    private final int[] starts = new int[4];
    private final float[] factors = new float[4];
    private float[] scratch = new float[0];

    SimdPrivateGradients(Backend scalar, ColumnGemm columnGemm, SimdConvolution convolution) {
        this.scalar = scalar;
        this.columnGemm = columnGemm;
        this.convolution = convolution;
    }

    void weightGradient(Tensor x, Tensor dy, float alpha, GradientRows target) {
        int in = x.dim(-1);
        int out = dy.dim(-1);
        int tokens = x.shape().rowSize() / in;
        for (int sample = 0; sample < x.dim(0); sample++) {
            int xStart = x.offset() + sample * tokens * in;
            int dyStart = dy.offset() + sample * tokens * out;
            if (tokens == 1) {
                outerProduct(x.array(), xStart, in, dy.array(), dyStart, out, alpha, target, sample);
                continue;
            }
            boolean inPlace = alpha == 1f && !target.adds(sample);
            scratch = Lanes.grow(scratch, 2 * in * out);
            float[] c = inPlace ? target.matrix().array() : scratch;
            int cStart = inPlace ? target.start(sample) : 0;
            weightGradient(x.array(), xStart, in, dy.array(), dyStart, out, tokens, c, cStart);
            if (!inPlace) {
                store(scratch, alpha, target, sample, in * out);
            }
        }
    }

    /** C [out, in] = dyᵀ·x; a gradient narrower than a vector is computed as its transpose. */
    private void weightGradient(
            float[] x, int xStart, int in, float[] dy, int dyStart, int out, int tokens, float[] c, int cStart) {
        if (in >= V || in >= out) {
            columnGemm.left(dy, dyStart, out, 0).right(x, xStart, in, 0).over(1, tokens);
            columnGemm.multiply(out, in, c, cStart, in, false);
            return;
        }
        columnGemm.left(x, xStart, in, 0).right(dy, dyStart, out, 0).over(1, tokens);
        columnGemm.multiply(in, out, scratch, in * out, out, false);
        for (int o = 0; o < out; o++) {
            for (int i = 0; i < in; i++) {
                c[cStart + o * in + i] = scratch[in * out + i * out + o];
            }
        }
    }

    /** A sample of one token: its gradient is α·dyᵀ·x, written row by row. */
    private static void outerProduct(
            float[] x,
            int xStart,
            int in,
            float[] dy,
            int dyStart,
            int out,
            float alpha,
            GradientRows target,
            int sample) {
        boolean adds = target.adds(sample);
        float[] c = target.matrix().array();
        int to = target.start(sample);
        for (int o = 0; o < out; o++) {
            SimdElementwise.scale(x, xStart, alpha * dy[dyStart + o], c, to + o * in, in, adds);
        }
    }

    void convWeightGradient(Tensor x, Tensor dy, ConvGeometry geometry, GradientRows target) {
        int size = geometry.weightSize();
        for (int sample = 0; sample < x.dim(0); sample++) {
            boolean adds = target.adds(sample);
            scratch = Lanes.grow(scratch, adds ? size : 0);
            float[] c = adds ? scratch : target.matrix().array();
            int start = adds ? 0 : target.start(sample);
            convolution.weightGradient(x, dy, sample, geometry, c, start);
            if (!SimdElementwise.allFinite(c, start, size)) {
                exactConvWeightGradient(x, dy, sample, geometry, c, start);
            }
            if (adds) {
                store(scratch, 1f, target, sample, size);
            }
        }
    }

    /**
     * A NaN or an infinity in dy times a zero of the margin spoils taps that never met it; the scalar loops skip the margin
     * and so keep it where it belongs.
     */
    private void exactConvWeightGradient(Tensor x, Tensor dy, int sample, ConvGeometry geometry, float[] c, int start) {
        Tensor row = new Tensor(Shape.of(1, geometry.weightSize()), new HeapStorage(c), start);
        GradientRows target = new GradientRows(row, 0, 1, false);
        scalar.convWeightGradient(x.slice(sample, sample + 1), dy.slice(sample, sample + 1), geometry, target);
    }

    static void biasGradient(Tensor dy, GradientRows target) {
        int channels = dy.dim(-1);
        int tokens = dy.shape().rowSize() / channels;
        for (int sample = 0; sample < dy.dim(0); sample++) {
            int from = dy.offset() + sample * tokens * channels;
            float[] c = target.matrix().array();
            SimdElementwise.sumRows(
                    dy.array(), from, tokens, channels, 1f, c, target.start(sample), target.adds(sample));
        }
    }

    /** Joins a finished gradient, times {@code alpha}, to its row. */
    static void store(float[] gradient, float alpha, GradientRows target, int sample, int n) {
        SimdElementwise.scale(
                gradient, 0, alpha, target.matrix().array(), target.start(sample), n, target.adds(sample));
    }

    void squaredNorms(Tensor matrix, int from, int length, double[] out) {
        int stride = matrix.shape().rowSize();
        for (int row = 0; row < matrix.dim(0); row++) {
            out[row] = squaredNorm(matrix.array(), matrix.offset() + row * stride + from, length);
        }
    }

    /**
     * Reads at four places at once, for a row comes from main memory and a single stream of loads would wait for it.
     * The four partial sums are joined in a fixed order.
     */
    private double squaredNorm(float[] g, int start, int length) {
        int quarter = Math.max(length - D, 0) / (4 * D) * D;
        DoubleVector sum0 = DoubleVector.zero(DOUBLES);
        DoubleVector sum1 = sum0;
        DoubleVector sum2 = sum0;
        DoubleVector sum3 = sum0;
        for (int j = 0; j < quarter; j += D) {
            DoubleVector g0 = widen(g, start + j);
            DoubleVector g1 = widen(g, start + quarter + j);
            DoubleVector g2 = widen(g, start + 2 * quarter + j);
            DoubleVector g3 = widen(g, start + 3 * quarter + j);
            sum0 = g0.fma(g0, sum0);
            sum1 = g1.fma(g1, sum1);
            sum2 = g2.fma(g2, sum2);
            sum3 = g3.fma(g3, sum3);
        }
        sum0.add(sum1).add(sum2.add(sum3)).intoArray(lanes, 0);
        double sum = 0;
        for (double lane : lanes) {
            sum += lane;
        }
        for (int j = 4 * quarter; j < length; j++) {
            sum += (double) g[start + j] * g[start + j];
        }
        return sum;
    }

    /**
     * D doubles, from the lower half of a full float vector: reads as many floats beyond them. Loads of half the width
     * would do, but a second class of float vectors makes every call on one polymorphic, and then the compiler boxes;
     * and the upper half of a vector costs a permutation.
     */
    private static DoubleVector widen(float[] g, int at) {
        return (DoubleVector) FloatVector.fromArray(LANES, g, at).convertShape(VectorOperators.F2D, DOUBLES, 0);
    }

    void accumulateOnGrid(Tensor matrix, int from, int length, float[] scales, long[] sums, int to) {
        for (int first = 0; first < length; first += STRETCH) {
            int count = Math.min(STRETCH, length - first);
            accumulateStretch(matrix, from + first, count, scales, sums, to + first);
        }
    }

    /** Rows four at a time, so that the integers are read and written once for four. */
    private void accumulateStretch(Tensor matrix, int from, int length, float[] scales, long[] sums, int to) {
        float[] g = matrix.array();
        int stride = matrix.shape().rowSize();
        int waiting = 0;
        for (int row = 0; row < matrix.dim(0); row++) {
            if (scales[row] != 0) {
                starts[waiting] = matrix.offset() + row * stride + from;
                factors[waiting++] = scales[row];
            }
            if (waiting == starts.length) {
                addFour(g, starts, length, factors, sums, to);
                waiting = 0;
            }
        }
        for (int i = 0; i < waiting; i++) {
            addOne(g, starts[i], length, factors[i], sums, to);
        }
    }

    private static void addOne(float[] g, int start, int length, float scale, long[] sums, int to) {
        DoubleVector factor = DoubleVector.broadcast(DOUBLES, scale);
        DoubleVector round = DoubleVector.broadcast(DOUBLES, ROUND);
        LongVector bias = LongVector.broadcast(LONGS, ROUND_BITS);
        int j = 0;
        for (; j <= length - 2 * D; j += D) {
            LongVector rounded = widen(g, start + j).fma(factor, round).reinterpretAsLongs();
            LongVector sum = LongVector.fromArray(LONGS, sums, to + j);
            sum.add(rounded.sub(bias)).intoArray(sums, to + j);
        }
        addRest(g, start, j, length, scale, sums, to);
    }

    private static void addFour(float[] g, int[] starts, int length, float[] scales, long[] sums, int to) {
        int start0 = starts[0];
        int start1 = starts[1];
        int start2 = starts[2];
        int start3 = starts[3];
        DoubleVector factor0 = DoubleVector.broadcast(DOUBLES, scales[0]);
        DoubleVector factor1 = DoubleVector.broadcast(DOUBLES, scales[1]);
        DoubleVector factor2 = DoubleVector.broadcast(DOUBLES, scales[2]);
        DoubleVector factor3 = DoubleVector.broadcast(DOUBLES, scales[3]);
        DoubleVector round = DoubleVector.broadcast(DOUBLES, ROUND);
        LongVector bias = LongVector.broadcast(LONGS, 4 * ROUND_BITS);
        int j = 0;
        for (; j <= length - 2 * D; j += D) {
            LongVector rounded0 = widen(g, start0 + j).fma(factor0, round).reinterpretAsLongs();
            LongVector rounded1 = widen(g, start1 + j).fma(factor1, round).reinterpretAsLongs();
            LongVector rounded2 = widen(g, start2 + j).fma(factor2, round).reinterpretAsLongs();
            LongVector rounded3 = widen(g, start3 + j).fma(factor3, round).reinterpretAsLongs();
            // Beyond 64 bits on the way, but the bias takes that back.
            LongVector four = rounded0.add(rounded1).add(rounded2.add(rounded3));
            LongVector sum = LongVector.fromArray(LONGS, sums, to + j);
            sum.add(four.sub(bias)).intoArray(sums, to + j);
        }
        for (int i = 0; i < starts.length; i++) {
            addRest(g, starts[i], j, length, scales[i], sums, to);
        }
    }

    private static void addRest(float[] g, int start, int done, int length, float scale, long[] sums, int to) {
        for (int j = done; j < length; j++) {
            sums[to + j] += (long) Math.rint((double) g[start + j] * scale);
        }
    }
}
