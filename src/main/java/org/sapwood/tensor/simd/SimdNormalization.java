package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;
import static org.sapwood.tensor.simd.Lanes.V;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/**
 * Group normalisation with its SiLU. Vectors run along channels, so the narrow groups of an NHWC image (4 to 16 channels)
 * cost no shuffles: every pass works per channel and only the [C] results are combined per group, in fp64.
 *
 * <p>Forward reads x three times: mean and centred squares while a sample sits in the second-level cache, then, for all
 * samples, the output. Backward keeps dL/dz in scratch, so that the exponential is computed once for the gradients of
 * x, gamma and beta.
 */
final class SimdNormalization {
    private float[] mean = new float[0];
    private float[] inverseDeviation = new float[0];
    private float[] factor = new float[0];
    private float[] first = new float[0];
    private float[] second = new float[0];
    private float[] kept = new float[0];

    void groupNorm(
            Tensor x, Tensor gamma, Tensor beta, int groups, float epsilon, boolean silu, Tensor statistics, Tensor y) {
        reserve(x.dim(-1));
        measure(x, groups, epsilon, statistics);
        normalize(x, gamma, beta, groups, silu, statistics, y);
    }

    /** Writes mean and 1/√(var + ε) of every group. */
    private void measure(Tensor x, int groups, float epsilon, Tensor statistics) {
        int channels = x.dim(-1);
        int tokens = x.shape().rowSize() / channels;
        int width = channels / groups;
        for (int sample = 0; sample < x.dim(0); sample++) {
            int from = x.offset() + sample * tokens * channels;
            SimdElementwise.sumRows(x.array(), from, tokens, channels, 1f, first, 0, false);
            double count = (double) tokens * width;
            for (int group = 0; group < groups; group++) {
                fillGroup(mean, group, width, (float) (groupSum(first, group, width) / count));
            }
            centredSquares(x.array(), from, tokens, channels);
            for (int group = 0; group < groups; group++) {
                double variance = groupSum(second, group, width) / count;
                int at = statistics.offset() + (sample * groups + group) * 2;
                statistics.array()[at] = mean[group * width];
                statistics.array()[at + 1] = (float) (1 / Math.sqrt(variance + epsilon));
            }
        }
    }

    /**
     * Its own walk over the samples: in one method with the statistics, the compiler may reach its limit on nodes before
     * it has inlined the exponential, and would box the vector it passes there.
     */
    private void normalize(Tensor x, Tensor gamma, Tensor beta, int groups, boolean silu, Tensor statistics, Tensor y) {
        int channels = x.dim(-1);
        int tokens = x.shape().rowSize() / channels;
        for (int sample = 0; sample < x.dim(0); sample++) {
            loadStatistics(statistics, sample, groups, channels / groups);
            int at = sample * tokens * channels;
            normalize(x.array(), x.offset() + at, tokens, channels, gamma, beta, silu, y.array(), y.offset() + at);
        }
    }

    /** dx and the gradients of gamma and beta, each where wanted; all follow from g = dL/dz, Σ_t g and Σ_t g·x̂. */
    void groupNormBackward(
            Tensor x,
            Tensor gamma,
            Tensor beta,
            int groups,
            boolean silu,
            Tensor statistics,
            Tensor dy,
            @Nullable Tensor dx,
            boolean accumulate,
            @Nullable GradientRows gammaTarget,
            @Nullable GradientRows betaTarget) {
        int channels = x.dim(-1);
        int tokens = x.shape().rowSize() / channels;
        reserve(channels);
        kept = Lanes.grow(kept, dx == null ? 0 : tokens * channels);
        for (int sample = 0; sample < x.dim(0); sample++) {
            loadStatistics(statistics, sample, groups, channels / groups);
            int at = sample * tokens * channels;
            gradientSums(x, gamma, beta, silu, dy, at, tokens, channels, dx != null);
            if (gammaTarget != null) {
                SimdPrivateGradients.store(second, 1f, gammaTarget, sample, channels);
            }
            if (betaTarget != null) {
                SimdPrivateGradients.store(first, 1f, betaTarget, sample, channels);
            }
            if (dx != null) {
                combineGroups(gamma, groups, channels / groups, tokens);
                inputGradient(x.array(), x.offset() + at, tokens, channels, dx.array(), dx.offset() + at, accumulate);
            }
        }
    }

    private void reserve(int channels) {
        int padded = channels + V;
        mean = Lanes.grow(mean, padded);
        inverseDeviation = Lanes.grow(inverseDeviation, padded);
        factor = Lanes.grow(factor, padded);
        first = Lanes.grow(first, padded);
        second = Lanes.grow(second, padded);
    }

    private void loadStatistics(Tensor statistics, int sample, int groups, int width) {
        for (int group = 0; group < groups; group++) {
            int at = statistics.offset() + (sample * groups + group) * 2;
            fillGroup(mean, group, width, statistics.array()[at]);
            fillGroup(inverseDeviation, group, width, statistics.array()[at + 1]);
        }
    }

    /**
     * From the sums per channel to the terms of dx = γ·r·g − r·mean(γ·g) − r²·mean(γ·g·x̂)·(x − mean), r = 1/√(var + ε)
     * and means over the group: factor[c] multiplies g, first[c] is added, second[c] multiplies x − mean.
     */
    private void combineGroups(Tensor gamma, int groups, int width, int tokens) {
        double count = (double) tokens * width;
        for (int group = 0; group < groups; group++) {
            double sum = 0;
            double product = 0;
            for (int c = group * width; c < (group + 1) * width; c++) {
                float scale = gamma.array()[gamma.offset() + c];
                sum += (double) scale * first[c];
                product += (double) scale * second[c];
                factor[c] = scale * inverseDeviation[c];
            }
            double inverse = inverseDeviation[group * width];
            fillGroup(first, group, width, (float) (-inverse * (sum / count)));
            fillGroup(second, group, width, (float) (-inverse * inverse * (product / count)));
        }
    }

    private static double groupSum(float[] perChannel, int group, int width) {
        double sum = 0;
        for (int c = group * width; c < (group + 1) * width; c++) {
            sum += perChannel[c];
        }
        return sum;
    }

    private static void fillGroup(float[] perChannel, int group, int width, float value) {
        for (int c = group * width; c < (group + 1) * width; c++) {
            perChannel[c] = value;
        }
    }

    /** second[c] = Σ_t (x − mean)². */
    private void centredSquares(float[] x, int start, int tokens, int channels) {
        for (int c = 0; c < channels; c += V) {
            squaresOf(x, start + c, tokens, channels, c);
        }
    }

    private void squaresOf(float[] x, int start, int tokens, int stride, int c) {
        VectorMask<Float> mask = Lanes.tail(c, stride);
        FloatVector centre = FloatVector.fromArray(LANES, mean, c, mask);
        FloatVector sum0 = FloatVector.zero(LANES);
        FloatVector sum1 = sum0;
        int at = start;
        int t = 0;
        for (; t <= tokens - 2; t += 2) {
            FloatVector d0 = FloatVector.fromArray(LANES, x, at, mask).sub(centre);
            FloatVector d1 = FloatVector.fromArray(LANES, x, at + stride, mask).sub(centre);
            sum0 = d0.fma(d0, sum0);
            sum1 = d1.fma(d1, sum1);
            at += 2 * stride;
        }
        if (t < tokens) {
            FloatVector d0 = FloatVector.fromArray(LANES, x, at, mask).sub(centre);
            sum0 = d0.fma(d0, sum0);
        }
        sum0.add(sum1).intoArray(second, c, mask);
    }

    private void normalize(
            float[] x,
            int start,
            int tokens,
            int channels,
            Tensor gamma,
            Tensor beta,
            boolean silu,
            float[] y,
            int to) {
        for (int c = 0; c < channels; c += V) {
            if (silu) {
                normalizeSilu(x, start + c, tokens, channels, c, gamma, beta, y, to + c);
            } else {
                normalizePlain(x, start + c, tokens, channels, c, gamma, beta, y, to + c);
            }
        }
    }

    private void normalizePlain(
            float[] x, int start, int tokens, int stride, int c, Tensor gamma, Tensor beta, float[] y, int to) {
        VectorMask<Float> mask = Lanes.tail(c, stride);
        FloatVector centre = FloatVector.fromArray(LANES, mean, c, mask);
        FloatVector scale = FloatVector.fromArray(LANES, gamma.array(), gamma.offset() + c, mask)
                .mul(FloatVector.fromArray(LANES, inverseDeviation, c, mask));
        FloatVector shift = FloatVector.fromArray(LANES, beta.array(), beta.offset() + c, mask);
        for (int t = 0, at = 0; t < tokens; t++, at += stride) {
            FloatVector.fromArray(LANES, x, start + at, mask)
                    .sub(centre)
                    .fma(scale, shift)
                    .intoArray(y, to + at, mask);
        }
    }

    private void normalizeSilu(
            float[] x, int start, int tokens, int stride, int c, Tensor gamma, Tensor beta, float[] y, int to) {
        VectorMask<Float> mask = Lanes.tail(c, stride);
        FloatVector centre = FloatVector.fromArray(LANES, mean, c, mask);
        FloatVector scale = FloatVector.fromArray(LANES, gamma.array(), gamma.offset() + c, mask)
                .mul(FloatVector.fromArray(LANES, inverseDeviation, c, mask));
        FloatVector shift = FloatVector.fromArray(LANES, beta.array(), beta.offset() + c, mask);
        for (int t = 0, at = 0; t < tokens; t++, at += stride) {
            FloatVector z = FloatVector.fromArray(LANES, x, start + at, mask)
                    .sub(centre)
                    .fma(scale, shift);
            z.mul(VectorMath.sigmoid(z)).intoArray(y, to + at, mask);
        }
    }

    /** With g = dL/dz: first[c] = Σ_t g and second[c] = Σ_t g·x̂; keeps g in {@link #kept} if {@code keep}. */
    private void gradientSums(
            Tensor x,
            Tensor gamma,
            Tensor beta,
            boolean silu,
            Tensor dy,
            int at,
            int tokens,
            int channels,
            boolean keep) {
        for (int c = 0; c < channels; c += V) {
            int xAt = x.offset() + at + c;
            int dyAt = dy.offset() + at + c;
            if (silu) {
                siluSums(x.array(), xAt, dy.array(), dyAt, tokens, channels, c, gamma, beta, keep);
            } else {
                plainSums(x.array(), xAt, dy.array(), dyAt, tokens, channels, c, keep);
            }
        }
    }

    private void siluSums(
            float[] x,
            int xStart,
            float[] dy,
            int dyStart,
            int tokens,
            int stride,
            int c,
            Tensor gamma,
            Tensor beta,
            boolean keep) {
        float[] g = kept;
        VectorMask<Float> mask = Lanes.tail(c, stride);
        FloatVector inverse = FloatVector.fromArray(LANES, inverseDeviation, c, mask);
        FloatVector scale = FloatVector.fromArray(LANES, gamma.array(), gamma.offset() + c, mask)
                .mul(inverse);
        FloatVector shift = FloatVector.fromArray(LANES, beta.array(), beta.offset() + c, mask);
        FloatVector centre = FloatVector.fromArray(LANES, mean, c, mask);
        FloatVector sum = FloatVector.zero(LANES);
        FloatVector product = sum;
        for (int t = 0, at = 0; t < tokens; t++, at += stride) {
            FloatVector centred =
                    FloatVector.fromArray(LANES, x, xStart + at, mask).sub(centre);
            FloatVector gradient = FloatVector.fromArray(LANES, dy, dyStart + at, mask)
                    .mul(VectorMath.siluSlope(centred.fma(scale, shift)));
            sum = sum.add(gradient);
            product = gradient.fma(centred, product);
            if (keep) {
                gradient.intoArray(g, at + c, mask);
            }
        }
        sum.intoArray(first, c, mask);
        product.mul(inverse).intoArray(second, c, mask);
    }

    private void plainSums(
            float[] x, int xStart, float[] dy, int dyStart, int tokens, int stride, int c, boolean keep) {
        float[] g = kept;
        VectorMask<Float> mask = Lanes.tail(c, stride);
        FloatVector centre = FloatVector.fromArray(LANES, mean, c, mask);
        FloatVector inverse = FloatVector.fromArray(LANES, inverseDeviation, c, mask);
        FloatVector sum = FloatVector.zero(LANES);
        FloatVector product = sum;
        for (int t = 0, at = 0; t < tokens; t++, at += stride) {
            FloatVector centred =
                    FloatVector.fromArray(LANES, x, xStart + at, mask).sub(centre);
            FloatVector gradient = FloatVector.fromArray(LANES, dy, dyStart + at, mask);
            sum = sum.add(gradient);
            product = gradient.fma(centred, product);
            if (keep) {
                gradient.intoArray(g, at + c, mask);
            }
        }
        sum.intoArray(first, c, mask);
        product.mul(inverse).intoArray(second, c, mask);
    }

    /** dx = factor·g + first + second·(x − mean), the terms that {@link #combineGroups} has left and g from scratch. */
    private void inputGradient(float[] x, int start, int tokens, int channels, float[] dx, int to, boolean accumulate) {
        for (int c = 0; c < channels; c += V) {
            inputGradientColumn(x, start + c, tokens, channels, c, dx, to + c, accumulate);
        }
    }

    private void inputGradientColumn(
            float[] x, int start, int tokens, int stride, int c, float[] dx, int to, boolean accumulate) {
        float[] g = kept;
        VectorMask<Float> mask = Lanes.tail(c, stride);
        FloatVector centre = FloatVector.fromArray(LANES, mean, c, mask);
        FloatVector scale = FloatVector.fromArray(LANES, factor, c, mask);
        FloatVector offset = FloatVector.fromArray(LANES, first, c, mask);
        FloatVector slope = FloatVector.fromArray(LANES, second, c, mask);
        for (int t = 0, at = 0; t < tokens; t++, at += stride) {
            FloatVector centred =
                    FloatVector.fromArray(LANES, x, start + at, mask).sub(centre);
            FloatVector scaled = FloatVector.fromArray(LANES, g, at + c, mask).fma(scale, offset);
            // Two stores rather than one variable: the compiler boxes a vector that two branches assign.
            if (accumulate) {
                FloatVector earlier = FloatVector.fromArray(LANES, dx, to + at, mask);
                centred.fma(slope, scaled).add(earlier).intoArray(dx, to + at, mask);
            } else {
                centred.fma(slope, scaled).intoArray(dx, to + at, mask);
            }
        }
    }
}
