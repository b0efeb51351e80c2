package org.sapwood.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;
import org.sapwood.io.UserException;

class FeatureGaussianTest {
    private static final long SEED = 11;

    /** Independent coordinates: ‖μ₁−μ₂‖² + Σ(σ₁−σ₂)². */
    @Test
    void diagonalCovariances() {
        FeatureGaussian a = new FeatureGaussian(new double[] {1, 2, 3}, diagonal(1, 4, 9));
        FeatureGaussian b = new FeatureGaussian(new double[] {1, 0, 6}, diagonal(4, 4, 0));
        assertEquals((0 + 4 + 9) + (1 + 0 + 9), a.frechetDistance(b), 1e-12);
    }

    /** Σ₁ and Σ₂ do not commute; in two dimensions tr(M^½) = √(tr M + 2·√det M) with M = Σ₁Σ₂. */
    @Test
    void twoCovariancesThatDoNotCommute() {
        FeatureGaussian a = new FeatureGaussian(new double[2], new double[] {2, 1, 1, 3});
        FeatureGaussian b = new FeatureGaussian(new double[2], new double[] {5, -1, -1, 1});
        double traceOfProduct = 2 * 5 + 2 * (1 * -1) + 3 * 1;
        double determinantOfProduct = (2 * 3 - 1) * (5 * 1 - 1);
        double expected = 5 + 6 - 2 * Math.sqrt(traceOfProduct + 2 * Math.sqrt(determinantOfProduct));
        assertEquals(expected, a.frechetDistance(b), 1e-12);
        assertEquals(expected, b.frechetDistance(a), 1e-12);
    }

    @Test
    void distanceToItselfIsZero() {
        FeatureGaussian gaussian = FeatureGaussian.fit(random(300, 16, 0));
        assertEquals(0, gaussian.frechetDistance(gaussian), 1e-9, "seed " + SEED);
    }

    @Test
    void shiftOfEveryVectorCostsItsSquaredLength() {
        FeatureGaussian here = FeatureGaussian.fit(random(300, 16, 0));
        FeatureGaussian there = FeatureGaussian.fit(random(300, 16, 2));
        assertEquals(16 * 4, here.frechetDistance(there), 1e-4, "seed " + SEED);
    }

    @Test
    void fitIsTheUnbiasedCovariance() {
        FeatureGaussian fitted = FeatureGaussian.fit(new Features(new float[] {0, 0, 2, 4, 4, 2}, 3, 2));
        assertArrayEquals(new double[] {2, 2}, fitted.mean(), 1e-15);
        assertArrayEquals(new double[] {4, 2, 2, 4}, fitted.covariance(), 1e-15);
    }

    @Test
    void oneVectorHasNoCovariance() {
        UserException e = assertThrows(UserException.class, () -> FeatureGaussian.fit(random(1, 4, 0)));
        assertTrue(e.getMessage().contains("at least 2 images"), e.getMessage());
    }

    private static double[] diagonal(double... values) {
        double[] matrix = new double[values.length * values.length];
        for (int i = 0; i < values.length; i++) {
            matrix[i * values.length + i] = values[i];
        }
        return matrix;
    }

    private static Features random(int count, int length, float shift) {
        UniformRandomProvider rng = RandomSource.XO_SHI_RO_256_PP.create(SEED);
        float[] values = new float[count * length];
        for (int i = 0; i < values.length; i++) {
            values[i] = rng.nextFloat() + shift;
        }
        return new Features(values, count, length);
    }
}
