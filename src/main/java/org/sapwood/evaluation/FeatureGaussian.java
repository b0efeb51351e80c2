package org.sapwood.evaluation;

import org.sapwood.io.UserException;

/**
 * The Gaussian with the mean and covariance of a set of feature vectors, and the Fréchet distance between two of them.
 *
 * @param mean [F]
 * @param covariance unbiased, [F, F]
 */
@SuppressWarnings("ArrayRecordComponent") // handed on at once, never compared
record FeatureGaussian(double[] mean, SymmetricMatrix covariance) {
    /** Images whose centred vectors are held at a time, and rows of the covariance that one task adds to. */
    private static final int IMAGES = 256;

    private static final int ROWS = 8;

    /**
     * Fits the Gaussian.
     *
     * @throws UserException if there are fewer than two vectors
     */
    static FeatureGaussian fit(Features features, Workers workers) {
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
        return new FeatureGaussian(mean, new SymmetricMatrix(covariance(features, mean, workers), length));
    }

    private static double[] covariance(Features features, double[] mean, Workers workers) {
        int count = features.count();
        int length = features.length();
        double[] covariance = new double[length * length];
        double[] centred = new double[Math.min(IMAGES, count) * length];
        for (int first = 0; first < count; first += IMAGES) {
            int taken = Math.min(IMAGES, count - first);
            for (int i = 0; i < taken; i++) {
                for (int k = 0; k < length; k++) {
                    centred[i * length + k] = features.values()[(first + i) * length + k] - mean[k];
                }
            }
            workers.forStretches(length, ROWS, (worker, from, to) -> {
                for (int i = 0; i < taken; i++) {
                    for (int p = from; p < to; p++) {
                        double factor = centred[i * length + p];
                        SymmetricMatrix.add(centred, i * length + p, factor, covariance, p * length + p, length - p);
                    }
                }
            });
        }
        for (int p = 0; p < length; p++) {
            for (int q = p; q < length; q++) {
                covariance[p * length + q] /= count - 1;
                covariance[q * length + p] = covariance[p * length + q];
            }
        }
        return covariance;
    }

    /**
     * The squared Fréchet (2-Wasserstein) distance, ‖μ₁−μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½) (Dowson and Landau 1982), the
     * quantity that FID reports for Inception features (Heusel et al. 2017). At least 0.
     *
     * <p>With any factor Σ₁ = G·Gᵀ the product has the eigenvalues of the symmetric GᵀΣ₂G, so no matrix square root is
     * needed.
     */
    double frechetDistance(FeatureGaussian other, Workers workers) {
        int n = mean.length;
        double distance = 0;
        for (int i = 0; i < n; i++) {
            double difference = mean[i] - other.mean[i];
            distance += difference * difference;
            distance += covariance.values()[i * n + i] + other.covariance.values()[i * n + i];
        }
        SymmetricMatrix product = other.covariance.congruent(covariance.factor(workers), workers);
        for (double eigenvalue : product.eigenvalues(workers)) {
            distance -= 2 * Math.sqrt(Math.max(0, eigenvalue));
        }
        return Math.max(0, distance);
    }
}
