package org.sapwood.evaluation;

import org.sapwood.io.UserException;

/**
 * The Gaussian with the mean and covariance of a set of feature vectors, and the Fréchet distance between two of them.
 *
 * @param mean [F]
 * @param covariance unbiased, row-major [F, F]
 */
@SuppressWarnings("ArrayRecordComponent") // handed on at once, never compared
record FeatureGaussian(double[] mean, double[] covariance) {
    /**
     * Fits the Gaussian.
     *
     * @throws UserException if there are fewer than two vectors
     */
    static FeatureGaussian fit(Features features) {
        int count = features.count();
        int length = features.length();
        if (count < 2) {
            throw new UserException("a Fréchet distance needs at least 2 images on each side, got " + count);
        }
        double[] mean = new double[length];
        for (int i = 0; i < count; i++) {
            for (int k = 0; k < length; k++) {
                mean[k] += features.values()[i * length + k];
            }
        }
        for (int k = 0; k < length; k++) {
            mean[k] /= count;
        }
        double[] covariance = new double[length * length];
        double[] centred = new double[length];
        for (int i = 0; i < count; i++) {
            for (int k = 0; k < length; k++) {
                centred[k] = features.values()[i * length + k] - mean[k];
            }
            for (int p = 0; p < length; p++) {
                for (int q = 0; q < length; q++) {
                    covariance[p * length + q] += centred[p] * centred[q];
                }
            }
        }
        for (int k = 0; k < covariance.length; k++) {
            covariance[k] /= count - 1;
        }
        return new FeatureGaussian(mean, covariance);
    }

    /**
     * The squared Fréchet (2-Wasserstein) distance, ‖μ₁−μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁^½·Σ₂·Σ₁^½)^½) (Dowson and Landau 1982),
     * the quantity that FID reports for Inception features (Heusel et al. 2017). At least 0.
     */
    double frechetDistance(FeatureGaussian other) {
        int n = mean.length;
        double distance = 0;
        for (int i = 0; i < n; i++) {
            double difference = mean[i] - other.mean[i];
            distance += difference * difference;
            distance += covariance[i * n + i] + other.covariance[i * n + i];
        }
        double[] root = SymmetricEigen.of(covariance, n).squareRoot();
        double[] product = multiply(multiply(root, other.covariance, n), root, n);
        for (double eigenvalue : SymmetricEigen.of(product, n).values()) {
            distance -= 2 * Math.sqrt(Math.max(0, eigenvalue));
        }
        return Math.max(0, distance);
    }

    private static double[] multiply(double[] a, double[] b, int n) {
        double[] c = new double[n * n];
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < n; k++) {
                double factor = a[i * n + k];
                for (int j = 0; j < n; j++) {
                    c[i * n + j] += factor * b[k * n + j];
                }
            }
        }
        return c;
    }
}
