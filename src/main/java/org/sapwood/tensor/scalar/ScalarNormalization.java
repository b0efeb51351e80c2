package org.sapwood.tensor.scalar;

import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/**
 * Group normalisation. With x̂ = (x − mean)/√(var + ε) over a group and z = γ·x̂ + β, the output is z or silu(z). The
 * backward pass takes mean and 1/√(var + ε) from the statistics that the forward pass kept.
 */
final class ScalarNormalization {
    private ScalarNormalization() {}

    static void groupNorm(
            Tensor x, Tensor gamma, Tensor beta, int groups, float epsilon, boolean silu, Tensor statistics, Tensor y) {
        int channels = x.dim(-1);
        int tokens = tokens(x);
        int width = channels / groups;
        double count = (double) tokens * width;
        for (int sample = 0; sample < x.dim(0); sample++) {
            for (int group = 0; group < groups; group++) {
                int first = sample * tokens * channels + group * width;
                double sum = 0;
                for (int t = 0; t < tokens; t++) {
                    for (int c = 0; c < width; c++) {
                        sum += x.array()[x.offset() + first + t * channels + c];
                    }
                }
                double mean = sum / count;
                double squares = 0;
                for (int t = 0; t < tokens; t++) {
                    for (int c = 0; c < width; c++) {
                        double centred = x.array()[x.offset() + first + t * channels + c] - mean;
                        squares += centred * centred;
                    }
                }
                double inverseDeviation = 1 / Math.sqrt(squares / count + epsilon);
                for (int t = 0; t < tokens; t++) {
                    for (int c = 0; c < width; c++) {
                        int at = first + t * channels + c;
                        double normalized = (x.array()[x.offset() + at] - mean) * inverseDeviation;
                        double z = affine(normalized, gamma, beta, group * width + c);
                        y.array()[y.offset() + at] = (float) (silu ? ScalarElementwise.silu(z) : z);
                    }
                }
                int kept = statistics.offset() + (sample * groups + group) * 2;
                statistics.array()[kept] = (float) mean;
                statistics.array()[kept + 1] = (float) inverseDeviation;
            }
        }
    }

    /** dx = (g − mean(g) − x̂·mean(g·x̂))/√(var + ε) over each group, with g = γ·dL/dz. */
    static void groupNormBackwardInput(
            Tensor x,
            Tensor gamma,
            Tensor beta,
            int groups,
            boolean silu,
            Tensor statistics,
            Tensor dy,
            Tensor dx,
            boolean accumulate) {
        int channels = x.dim(-1);
        int tokens = tokens(x);
        int width = channels / groups;
        double count = (double) tokens * width;
        for (int sample = 0; sample < x.dim(0); sample++) {
            for (int group = 0; group < groups; group++) {
                int first = sample * tokens * channels + group * width;
                double mean = statistic(statistics, sample, groups, group, 0);
                double inverseDeviation = statistic(statistics, sample, groups, group, 1);
                double[] normalized = new double[tokens * width];
                double[] gradient = new double[tokens * width];
                double sum = 0;
                double product = 0;
                for (int i = 0; i < gradient.length; i++) {
                    int channel = group * width + i % width;
                    int at = first + i / width * channels + i % width;
                    normalized[i] = (x.array()[x.offset() + at] - mean) * inverseDeviation;
                    gradient[i] = gamma.array()[gamma.offset() + channel]
                            * gradientBeforeSilu(normalized[i], gamma, beta, channel, silu, dy, at);
                    sum += gradient[i];
                    product += gradient[i] * normalized[i];
                }
                for (int i = 0; i < gradient.length; i++) {
                    int at = dx.offset() + first + i / width * channels + i % width;
                    float value = (float)
                            (inverseDeviation * (gradient[i] - sum / count - normalized[i] * (product / count)));
                    dx.array()[at] = accumulate ? dx.array()[at] + value : value;
                }
            }
        }
    }

    static void groupNormParameterGradient(
            Tensor x,
            Tensor gamma,
            Tensor beta,
            int groups,
            boolean silu,
            Tensor statistics,
            Tensor dy,
            @Nullable GradientRows gammaTarget,
            @Nullable GradientRows betaTarget) {
        int channels = x.dim(-1);
        int tokens = tokens(x);
        for (int sample = 0; sample < x.dim(0); sample++) {
            double[] gammaGradient = new double[channels];
            double[] betaGradient = new double[channels];
            for (int t = 0; t < tokens; t++) {
                for (int c = 0; c < channels; c++) {
                    int group = c / (channels / groups);
                    int at = (sample * tokens + t) * channels + c;
                    double normalized = (x.array()[x.offset() + at] - statistic(statistics, sample, groups, group, 0))
                            * statistic(statistics, sample, groups, group, 1);
                    double dz = gradientBeforeSilu(normalized, gamma, beta, c, silu, dy, at);
                    gammaGradient[c] += dz * normalized;
                    betaGradient[c] += dz;
                }
            }
            if (gammaTarget != null) {
                Sums.store(gammaGradient, 1, gammaTarget, sample, 0);
            }
            if (betaTarget != null) {
                Sums.store(betaGradient, 1, betaTarget, sample, 0);
            }
        }
    }

    /** dL/dz of the element {@code at}, from dL/dy. */
    private static double gradientBeforeSilu(
            double normalized, Tensor gamma, Tensor beta, int channel, boolean silu, Tensor dy, int at) {
        double gradient = dy.array()[dy.offset() + at];
        return silu ? gradient * ScalarElementwise.siluSlope(affine(normalized, gamma, beta, channel)) : gradient;
    }

    private static double affine(double normalized, Tensor gamma, Tensor beta, int channel) {
        return gamma.array()[gamma.offset() + channel] * normalized + beta.array()[beta.offset() + channel];
    }

    /** The mean (index 0) or 1/√(var + ε) (index 1) of a group, widened before anything is subtracted from it. */
    private static double statistic(Tensor statistics, int sample, int groups, int group, int index) {
        return statistics.array()[statistics.offset() + (sample * groups + group) * 2 + index];
    }

    private static int tokens(Tensor x) {
        return x.shape().rowSize() / x.dim(-1);
    }
}
