package org.sapwood.tensor.scalar;

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
