package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;
import static org.sapwood.tensor.simd.Lanes.V;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/**
 * Layer normalisation, one token after the other: three passes over its channels, which are in the first-level cache
 * after the first.
 */
final class SimdLayerNorm {
    private final float[] lanes = new float[V];
    private float[] sums = new float[0];

    void layerNorm(Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor statistics, Tensor y) {
        int channels = x.dim(-1);
        for (int token = 0; token < x.size() / channels; token++) {
            int from = x.offset() + token * channels;
            float mean = sum(x.array(), from, channels) / channels;
            double variance = squares(x.array(), from, channels, mean) / (double) channels;
            float inverse = (float) (1 / Math.sqrt(variance + epsilon));
            normalize(x.array(), from, channels, mean, inverse, gamma, beta, y.array(), y.offset() + token * channels);
            statistics.array()[statistics.offset() + token * 2] = mean;
            statistics.array()[statistics.offset() + token * 2 + 1] = inverse;
        }
    }

    private float sum(float[] x, int from, int channels) {
        FloatVector sum = FloatVector.zero(LANES);
        for (int c = 0; c < channels; c += V) {
            sum = sum.add(FloatVector.fromArray(LANES, x, from + c, Lanes.tail(c, channels)));
        }
        sum.intoArray(lanes, 0);
        return Lanes.sum(lanes);
    }

    /** Σ_c (x − mean)². */
    private float squares(float[] x, int from, int channels, float mean) {
        FloatVector sum = FloatVector.zero(LANES);
        for (int c = 0; c < channels; c += V) {
            VectorMask<Float> mask = Lanes.tail(c, channels);
            FloatVector centred =
                    FloatVector.fromArray(LANES, x, from + c, mask).sub(mean);
            sum = sum.add(centred.mul(centred), mask);
        }
        sum.intoArray(lanes, 0);
        return Lanes.sum(lanes);
    }

    private static void normalize(
            float[] x,
            int from,
            int channels,
            float mean,
            float inverse,
            Tensor gamma,
            Tensor beta,
            float[] y,
            int to) {
        for (int c = 0; c < channels; c += V) {
            VectorMask<Float> mask = Lanes.tail(c, channels);
            FloatVector scale = FloatVector.fromArray(LANES, gamma.array(), gamma.offset() + c, mask);
            FloatVector shift = FloatVector.fromArray(LANES, beta.array(), beta.offset() + c, mask);
            FloatVector.fromArray(LANES, x, from + c, mask)
                    .sub(mean)
                    .mul(inverse)
                    .fma(scale, shift)
                    .intoArray(y, to + c, mask);
        }
    }

    void layerNormBackwardInput(Tensor x, Tensor gamma, Tensor statistics, Tensor dy, Tensor dx, boolean accumulate) {
        int channels = x.dim(-1);
        for (int token = 0; token < x.size() / channels; token++) {
            float mean = statistics.array()[statistics.offset() + token * 2];
            float inverse = statistics.array()[statistics.offset() + token * 2 + 1];
            inputGradient(x, gamma, dy, token * channels, channels, mean, inverse, dx, accumulate);
        }
    }

    /** dx = (g − mean(g) − x̂·mean(g·x̂))/√(var + ε) of one token, with g = γ·dy. */
    private void inputGradient(
            Tensor x,
            Tensor gamma,
            Tensor dy,
            int at,
            int channels,
            float mean,
            float inverse,
            Tensor dx,
            boolean accumulate) {
        FloatVector sum = FloatVector.zero(LANES);
        FloatVector product = sum;
        for (int c = 0; c < channels; c += V) {
            VectorMask<Float> mask = Lanes.tail(c, channels);
            FloatVector gradient = gradient(gamma, dy, at, c, mask);
            sum = sum.add(gradient);
            product = gradient.fma(normalized(x, at + c, mask, mean, inverse), product);
        }
        sum.intoArray(lanes, 0);
        float level = Lanes.sum(lanes) / channels;
        product.intoArray(lanes, 0);
        FloatVector slope = FloatVector.broadcast(LANES, -Lanes.sum(lanes) / channels);
        for (int c = 0; c < channels; c += V) {
            VectorMask<Float> mask = Lanes.tail(c, channels);
            FloatVector centred = gradient(gamma, dy, at, c, mask).sub(level);
            FloatVector result = normalized(x, at + c, mask, mean, inverse)
                    .fma(slope, centred)
                    .mul(inverse);
            SimdElementwise.put(result, dx.array(), dx.offset() + at + c, mask, accumulate);
        }
    }

    private static FloatVector gradient(Tensor gamma, Tensor dy, int at, int c, VectorMask<Float> mask) {
        return FloatVector.fromArray(LANES, gamma.array(), gamma.offset() + c, mask)
                .mul(FloatVector.fromArray(LANES, dy.array(), dy.offset() + at + c, mask));
    }

    private static FloatVector normalized(Tensor x, int at, VectorMask<Float> mask, float mean, float inverse) {
        return FloatVector.fromArray(LANES, x.array(), x.offset() + at, mask)
                .sub(mean)
                .mul(inverse);
    }

    void layerNormScaleGradient(Tensor x, Tensor statistics, Tensor dy, GradientRows target) {
        int channels = x.dim(-1);
        int tokens = x.shape().rowSize() / channels;
        sums = Lanes.grow(sums, channels);
        for (int sample = 0; sample < x.dim(0); sample++) {
            for (int c = 0; c < channels; c += V) {
                scaleGradient(x, statistics, dy, sample * tokens, tokens, channels, c);
            }
            SimdPrivateGradients.store(sums, 1f, target, sample, channels);
        }
    }

    /** sums[c…] = Σ_t dy·x̂ over the tokens of a sample; two partial sums make the chains shorter. */
    private void scaleGradient(
            Tensor x, Tensor statistics, Tensor dy, int firstToken, int tokens, int channels, int c) {
        VectorMask<Float> mask = Lanes.tail(c, channels);
        FloatVector even = FloatVector.zero(LANES);
        FloatVector odd = even;
        int t = 0;
        for (; t <= tokens - 2; t += 2) {
            even = scaleTerm(x, statistics, dy, firstToken + t, channels, c, mask, even);
            odd = scaleTerm(x, statistics, dy, firstToken + t + 1, channels, c, mask, odd);
        }
        if (t < tokens) {
            even = scaleTerm(x, statistics, dy, firstToken + t, channels, c, mask, even);
        }
        even.add(odd).intoArray(sums, c, mask);
    }

    private static FloatVector scaleTerm(
            Tensor x,
            Tensor statistics,
            Tensor dy,
            int token,
            int channels,
            int c,
            VectorMask<Float> mask,
            FloatVector sum) {
        int at = token * channels + c;
        int statistic = statistics.offset() + token * 2;
        FloatVector normalized = normalized(
                x, at, mask, statistics.array()[statistic], statistics.array()[statistic + 1]);
        return FloatVector.fromArray(LANES, dy.array(), dy.offset() + at, mask).fma(normalized, sum);
    }
}
