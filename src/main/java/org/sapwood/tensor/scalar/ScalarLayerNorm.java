package org.sapwood.tensor.scalar;

import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/**
 * Layer normalisation: y = γ·x̂ + β with x̂ = (x − mean)/√(var + ε) over the channels of a token. The backward pass
 * takes mean and 1/√(var + ε) from the statistics that the forward pass kept.
 */
final class ScalarLayerNorm {
    private ScalarLayerNorm() {}

    static void layerNorm(Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor statistics, Tensor y) {
        int channels = x.dim(-1);
        for (int token = 0; token < x.size() / channels; token++) {
            int from = x.offset() + token * channels;
            double sum = 0;
            for (int c = 0; c < channels; c++) {
                sum += x.array()[from + c];
            }
            double mean = sum / channels;
            double squares = 0;
            for (int c = 0; c < channels; c++) {
                double centred = x.array()[from + c] - mean;
                squares += centred * centred;
            }
            double inverseDeviation = 1 / Math.sqrt(squares / channels + epsilon);
            for (int c = 0; c < channels; c++) {
                double normalized = (x.array()[from + c] - mean) * inverseDeviation;
                y.array()[y.offset() + token * channels + c] =
                        (float) (gamma.array()[gamma.offset() + c] * normalized + beta.array()[beta.offset() + c]);
            }
            statistics.array()[statistics.offset() + token * 2] = (float) mean;
            statistics.array()[statistics.offset() + token * 2 + 1] = (float) inverseDeviation;
        }
    }

    /** dx = (g − mean(g) − x̂·mean(g·x̂))/√(var + ε) over each token, with g = γ·dy. */
    static void layerNormBackwardInput(
            Tensor x, Tensor gamma, Tensor statistics, Tensor dy, Tensor dx, boolean accumulate) {
        int channels = x.dim(-1);
        double[] normalized = new double[channels];
        double[] gradient = new double[channels];
        for (int token = 0; token < x.size() / channels; token++) {
            double sum = 0;
            double product = 0;
            for (int c = 0; c < channels; c++) {
                normalized[c] = normalized(x, statistics, token, c);
                gradient[c] =
                        (double) gamma.array()[gamma.offset() + c] * dy.array()[dy.offset() + token * channels + c];
                sum += gradient[c];
                product += gradient[c] * normalized[c];
            }
            double inverseDeviation = statistics.array()[statistics.offset() + token * 2 + 1];
            for (int c = 0; c < channels; c++) {
                int at = dx.offset() + token * channels + c;
                float value = (float)
                        (inverseDeviation * (gradient[c] - sum / channels - normalized[c] * (product / channels)));
                dx.array()[at] = accumulate ? dx.array()[at] + value : value;
            }
        }
    }

    static void layerNormScaleGradient(Tensor x, Tensor statistics, Tensor dy, GradientRows target) {
        int channels = x.dim(-1);
        int tokens = x.shape().rowSize() / channels;
        for (int sample = 0; sample < x.dim(0); sample++) {
            double[] sums = new double[channels];
            for (int token = sample * tokens; token < (sample + 1) * tokens; token++) {
                for (int c = 0; c < channels; c++) {
                    sums[c] += dy.array()[dy.offset() + token * channels + c] * normalized(x, statistics, token, c);
                }
            }
            Sums.store(sums, 1, target, sample, 0);
        }
    }

    /** x̂ of one channel of a token, counted over all samples. */
    private static double normalized(Tensor x, Tensor statistics, int token, int channel) {
        double mean = statistics.array()[statistics.offset() + token * 2];
        double inverseDeviation = statistics.array()[statistics.offset() + token * 2 + 1];
        return (x.array()[x.offset() + token * x.dim(-1) + channel] - mean) * inverseDeviation;
    }
}
