package org.sapwood.tensor.scalar;

import org.sapwood.tensor.Tensor;

/** Draws and divergences of diagonal Gaussians, in fp64. */
final class ScalarGaussian {
    /** Between these e^v neither vanishes nor overflows. */
    private static final float LEAST_LOG_VARIANCE = -30;

    private static final float MOST_LOG_VARIANCE = 20;

    private ScalarGaussian() {}

    static void gaussianSample(Tensor moments, Tensor noise, Tensor z) {
        int width = z.dim(-1);
        float[] m = moments.array();
        for (int i = 0; i < z.size(); i++) {
            int mean = meanAt(moments, i, width);
            double deviation = Math.exp(0.5 * held(m[mean + width]));
            z.array()[z.offset() + i] = (float) (m[mean] + deviation * noise.array()[noise.offset() + i]);
        }
    }

    static void gaussianSampleBackward(Tensor moments, Tensor noise, Tensor dz, Tensor dMoments, boolean accumulate) {
        int width = dz.dim(-1);
        for (int i = 0; i < dz.size(); i++) {
            float logVariance = moments.array()[meanAt(moments, i, width) + width];
            float gradient = dz.array()[dz.offset() + i];
            double slope = isHeld(logVariance)
                    ? 0
                    : 0.5 * gradient * noise.array()[noise.offset() + i] * Math.exp(0.5 * logVariance);
            int mean = meanAt(dMoments, i, width);
            put(dMoments, mean, gradient, accumulate);
            put(dMoments, mean + width, (float) slope, accumulate);
        }
    }

    static void gaussianDivergence(Tensor moments, float gradientScale, Tensor divergence, Tensor dMoments) {
        int width = moments.dim(-1) / 2;
        int values = moments.shape().rowSize() / 2;
        float[] m = moments.array();
        for (int sample = 0; sample < moments.dim(0); sample++) {
            double sum = 0;
            for (int i = sample * values; i < (sample + 1) * values; i++) {
                double mean = m[meanAt(moments, i, width)];
                float raw = m[meanAt(moments, i, width) + width];
                double logVariance = held(raw);
                // e^v − 1 as one function: near v = 0 nothing would be left of the difference.
                double excess = Math.expm1(logVariance);
                sum += mean * mean + excess - logVariance;
                int at = meanAt(dMoments, i, width);
                put(dMoments, at, (float) (gradientScale * mean), false);
                put(dMoments, at + width, isHeld(raw) ? 0 : (float) (0.5 * gradientScale * excess), false);
            }
            divergence.array()[divergence.offset() + sample] = (float) (0.5 * sum);
        }
    }

    /** Where the mean of latent value {@code i} stands; the logarithm of its variance stands {@code width} further on. */
    private static int meanAt(Tensor moments, int i, int width) {
        return moments.offset() + i / width * 2 * width + i % width;
    }

    private static float held(float logVariance) {
        return Math.clamp(logVariance, LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE);
    }

    private static boolean isHeld(float logVariance) {
        return logVariance < LEAST_LOG_VARIANCE || logVariance > MOST_LOG_VARIANCE;
    }

    private static void put(Tensor target, int at, float value, boolean accumulate) {
        target.array()[at] = accumulate ? target.array()[at] + value : value;
    }
}
