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
     * in the low bits, many times faster than a conversion.
     */
    private static final double ROUND = 0x1.8p52;

    private static final long ROUND_BITS = Double.doubleToRawLongBits(ROUND);

    private final Backend scalar;
    private final ColumnGemm columnGemm;
    private final SimdConvolution convolution;
    private final double[] lanes = new double[D];
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

    /** Four vectors of partial sums hide the latency of the adder; they are joined in a fixed order. */
    private double squaredNorm(float[] g, int start, int length) {
        DoubleVector sum0 = DoubleVector.zero(DOUBLES);
        DoubleVector sum1 = sum0;
        DoubleVector sum2 = sum0;
        DoubleVector sum3 = sum0;
        int j = 0;
        for (; j <= length - 4 * D; j += 4 * D) {
            DoubleVector g0 = widen(g, start + j, 0);
            DoubleVector g1 = widen(g, start + j, 1);
            DoubleVector g2 = widen(g, start + j + 2 * D, 0);
            DoubleVector g3 = widen(g, start + j + 2 * D, 1);
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
        for (; j < length; j++) {
            sum += (double) g[start + j] * g[start + j];
        }
        return sum;
    }

    /**
     * The lower (0) or upper (1) half of a full float vector. Vectors of half the width would do, but a second class of
     * float vectors makes every call on one polymorphic, and then the compiler boxes.
     */
    private static DoubleVector widen(float[] g, int at, int half) {
        return (DoubleVector) FloatVector.fromArray(LANES, g, at).convertShape(VectorOperators.F2D, DOUBLES, half);
    }

    static void accumulateOnGrid(Tensor matrix, int row, int from, int length, double multiplier, long[] sums, int to) {
        int start = matrix.offset() + row * matrix.shape().rowSize() + from;
        accumulateOnGrid(matrix.array(), start, length, multiplier, sums, to);
    }

    private static void accumulateOnGrid(float[] g, int start, int length, double multiplier, long[] sums, int to) {
        DoubleVector factor = DoubleVector.broadcast(DOUBLES, multiplier);
        DoubleVector round = DoubleVector.broadcast(DOUBLES, ROUND);
        LongVector bias = LongVector.broadcast(LONGS, ROUND_BITS);
        int j = 0;
        for (; j <= length - 2 * D; j += 2 * D) {
            LongVector lower = widen(g, start + j, 0)
                    .mul(factor)
                    .add(round)
                    .reinterpretAsLongs()
                    .sub(bias);
            LongVector upper = widen(g, start + j, 1)
                    .mul(factor)
                    .add(round)
                    .reinterpretAsLongs()
                    .sub(bias);
            LongVector.fromArray(LONGS, sums, to + j).add(lower).intoArray(sums, to + j);
            LongVector.fromArray(LONGS, sums, to + j + D).add(upper).intoArray(sums, to + j + D);
        }
        for (; j < length; j++) {
            sums[to + j] += (long) Math.rint((double) g[start + j] * multiplier);
        }
    }
}
