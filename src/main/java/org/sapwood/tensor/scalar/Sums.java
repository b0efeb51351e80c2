package org.sapwood.tensor.scalar;

import org.sapwood.tensor.GradientRows;

/** Rows of sums in double: how every reduction over products is built up and rounded. */
final class Sums {
    private Sums() {}

    /** sums[j] += factor·x[start + j] for every j. The products are exact, since both factors are floats. */
    static void addProduct(double[] sums, float factor, float[] x, int start) {
        for (int j = 0; j < sums.length; j++) {
            sums[j] += (double) factor * x[start + j];
        }
    }

    /** y[start + j] = α·sums[j], or += with {@code accumulate}; each value is rounded before it is added. */
    static void store(double[] sums, double alpha, float[] y, int start, boolean accumulate) {
        for (int j = 0; j < sums.length; j++) {
            float value = (float) (alpha * sums[j]);
            y[start + j] = accumulate ? y[start + j] + value : value;
        }
    }

    /** Stores the finished coordinates {@code first}, {@code first + 1}, … of one sample's gradient. */
    static void store(double[] sums, double alpha, GradientRows target, int sample, int first) {
        store(sums, alpha, target.matrix().array(), target.start(sample) + first, target.adds(sample));
    }
}
