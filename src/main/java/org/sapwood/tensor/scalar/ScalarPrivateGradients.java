package org.sapwood.tensor.scalar;

import java.util.Arrays;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/** Per-sample parameter gradients, their norms, and exact summation on an integer grid. */
final class ScalarPrivateGradients {
    private ScalarPrivateGradients() {}

    static void weightGradient(Tensor x, Tensor dy, float alpha, GradientRows target) {
        int in = x.dim(-1);
        int out = dy.dim(-1);
        int tokens = x.shape().rowSize() / in;
        double[] sums = new double[in];
        for (int sample = 0; sample < x.dim(0); sample++) {
            for (int o = 0; o < out; o++) {
                Arrays.fill(sums, 0);
                for (int token = sample * tokens; token < (sample + 1) * tokens; token++) {
                    float factor = dy.array()[dy.offset() + token * out + o];
                    Sums.addProduct(sums, factor, x.array(), x.offset() + token * in);
                }
                Sums.store(sums, alpha, target, sample, o * in);
            }
        }
    }

    static void biasGradient(Tensor dy, GradientRows target) {
        for (int sample = 0; sample < dy.dim(0); sample++) {
            Sums.store(ScalarElementwise.sumTokens(dy, sample), 1, target, sample, 0);
        }
    }

    static void squaredNorms(Tensor matrix, int from, int length, double[] out) {
        for (int row = 0; row < matrix.dim(0); row++) {
            int start = matrix.offset() + row * matrix.shape().rowSize() + from;
            double squares = 0;
            for (int i = start; i < start + length; i++) {
                squares += (double) matrix.array()[i] * matrix.array()[i];
            }
            out[row] = squares;
        }
    }

    static void accumulateOnGrid(Tensor matrix, int from, int length, float[] scales, long[] sums, int to) {
        for (int row = 0; row < matrix.dim(0); row++) {
            if (scales[row] == 0) {
                continue;
            }
            int start = matrix.offset() + row * matrix.shape().rowSize() + from;
            for (int j = 0; j < length; j++) {
                sums[to + j] += (long) Math.rint((double) matrix.array()[start + j] * scales[row]);
            }
        }
    }
}
