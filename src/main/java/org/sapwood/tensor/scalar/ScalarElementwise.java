package org.sapwood.tensor.scalar;

import org.apache.commons.numbers.gamma.Erfc;
import org.sapwood.tensor.Tensor;

/** Ops whose outputs depend on one input position each, and the sums over tokens that are their transposes. */
final class ScalarElementwise {
    private ScalarElementwise() {}

    static void add(Tensor a, Tensor b, Tensor y) {
        for (int i = 0; i < y.size(); i++) {
            y.array()[y.offset() + i] = a.array()[a.offset() + i] + b.array()[b.offset() + i];
        }
    }

    static void scale(Tensor x, float alpha, Tensor y, boolean accumulate) {
        for (int i = 0; i < y.size(); i++) {
            put(y, i, alpha * x.array()[x.offset() + i], accumulate);
        }
    }

    static void silu(Tensor x, Tensor y) {
        for (int i = 0; i < y.size(); i++) {
            y.array()[y.offset() + i] = (float) silu(x.array()[x.offset() + i]);
        }
    }

    static void siluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        for (int i = 0; i < dx.size(); i++) {
            double slope = siluSlope(x.array()[x.offset() + i]);
            put(dx, i, (float) (dy.array()[dy.offset() + i] * slope), accumulate);
        }
    }

    static double silu(double x) {
        return x * sigmoid(x);
    }

    /** The derivative of {@link #silu(double)}. */
    static double siluSlope(double x) {
        double sigmoid = sigmoid(x);
        return sigmoid + x * sigmoid * (1 - sigmoid);
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    static void relu(Tensor x, Tensor y) {
        for (int i = 0; i < y.size(); i++) {
            y.array()[y.offset() + i] = Math.max(x.array()[x.offset() + i], 0);
        }
    }

    static void reluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        for (int i = 0; i < dx.size(); i++) {
            put(dx, i, x.array()[x.offset() + i] > 0 ? dy.array()[dy.offset() + i] : 0, accumulate);
        }
    }

    static void leakyRelu(Tensor x, float slope, Tensor y) {
        for (int i = 0; i < y.size(); i++) {
            float value = x.array()[x.offset() + i];
            y.array()[y.offset() + i] = value > 0 ? value : slope * value;
        }
    }

    static void leakyReluBackward(Tensor x, float slope, Tensor dy, Tensor dx, boolean accumulate) {
        for (int i = 0; i < dx.size(); i++) {
            float gradient = dy.array()[dy.offset() + i];
            put(dx, i, x.array()[x.offset() + i] > 0 ? gradient : slope * gradient, accumulate);
        }
    }

    static void tanh(Tensor x, Tensor y) {
        for (int i = 0; i < y.size(); i++) {
            y.array()[y.offset() + i] = (float) Math.tanh(x.array()[x.offset() + i]);
        }
    }

    static void tanhBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        for (int i = 0; i < dx.size(); i++) {
            double value = y.array()[y.offset() + i];
            put(dx, i, (float) (dy.array()[dy.offset() + i] * (1 - value * value)), accumulate);
        }
    }

    static void geglu(Tensor x, Tensor y) {
        int width = y.dim(-1);
        for (int i = 0; i < y.size(); i++) {
            int at = x.offset() + i / width * 2 * width + i % width;
            double gate = x.array()[at + width];
            y.array()[y.offset() + i] = (float) (x.array()[at] * (gate * normal(gate)));
        }
    }

    static void gegluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        int width = dy.dim(-1);
        for (int i = 0; i < dy.size(); i++) {
            int at = i / width * 2 * width + i % width;
            double value = x.array()[x.offset() + at];
            double gate = x.array()[x.offset() + at + width];
            double gradient = dy.array()[dy.offset() + i];
            double density = Math.exp(-gate * gate / 2) / Math.sqrt(2 * Math.PI);
            put(dx, at, (float) (gradient * (gate * normal(gate))), accumulate);
            put(dx, at + width, (float) (gradient * value * (normal(gate) + gate * density)), accumulate);
        }
    }

    /** The distribution function of the standard normal, also where it is small; within 2e-15 of its value. */
    private static double normal(double x) {
        return Erfc.value(-x / Math.sqrt(2)) / 2;
    }

    static void addPerSample(Tensor x, Tensor v, Tensor y) {
        int channels = x.dim(-1);
        for (int i = 0; i < y.size(); i++) {
            int sample = i / x.shape().rowSize();
            y.array()[y.offset() + i] =
                    x.array()[x.offset() + i] + v.array()[v.offset() + sample * channels + i % channels];
        }
    }

    static void sumTokens(Tensor x, float alpha, Tensor y, boolean accumulate) {
        for (int sample = 0; sample < x.dim(0); sample++) {
            double[] sums = sumTokens(x, sample);
            Sums.store(sums, alpha, y.array(), y.offset() + sample * sums.length, accumulate);
        }
    }

    /** Σ_t x[sample, t, c] for every channel c. */
    static double[] sumTokens(Tensor x, int sample) {
        double[] sums = new double[x.dim(-1)];
        int size = x.shape().rowSize();
        for (int at = 0; at < size; at += sums.length) {
            Sums.addProduct(sums, 1, x.array(), x.offset() + sample * size + at);
        }
        return sums;
    }

    static void broadcastTokens(Tensor dy, float alpha, Tensor dx, boolean accumulate) {
        int channels = dx.dim(-1);
        for (int i = 0; i < dx.size(); i++) {
            int sample = i / dx.shape().rowSize();
            put(dx, i, alpha * dy.array()[dy.offset() + sample * channels + i % channels], accumulate);
        }
    }

    static void concatChannels(Tensor a, Tensor b, Tensor y) {
        int left = a.dim(-1);
        int right = b.dim(-1);
        for (int row = 0; row < y.size() / (left + right); row++) {
            int start = y.offset() + row * (left + right);
            System.arraycopy(a.array(), a.offset() + row * left, y.array(), start, left);
            System.arraycopy(b.array(), b.offset() + row * right, y.array(), start + left, right);
        }
    }

    static void sliceChannels(Tensor x, int from, Tensor y, boolean accumulate) {
        int channels = x.dim(-1);
        int width = y.dim(-1);
        for (int i = 0; i < y.size(); i++) {
            put(y, i, x.array()[x.offset() + i / width * channels + from + i % width], accumulate);
        }
    }

    private static void put(Tensor y, int index, float value, boolean accumulate) {
        float[] array = y.array();
        int at = y.offset() + index;
        array[at] = accumulate ? array[at] + value : value;
    }
}
