package org.sapwood.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Backends;

class FeatureGaussianTest {
    private static final long SEED = 11;

    private static Workers workers;

    @BeforeAll
    static void start() {
        workers = new Workers(Backends.choose("scalar"), 2);
    }

    @AfterAll
    static void stop() {
        workers.close();
    }

    /** Independent coordinates: ‖μ₁−μ₂‖² + Σ(σ₁−σ₂)². */
    @Test
    void diagonalCovariances() {
        FeatureGaussian a = new FeatureGaussian(new double[] {1, 2, 3}, diagonal(1, 4, 9));
        FeatureGaussian b = new FeatureGaussian(new double[] {1, 0, 6}, diagonal(4, 4, 0));
        assertEquals((0 + 4 + 9) + (1 + 0 + 9), a.frechetDistance(b, workers), 1e-12);
    }

    /** Σ₁ and Σ₂ do not commute; in two dimensions tr(M^½) = √(tr M + 2·√det M) with M = Σ₁Σ₂. */
    @Test
    void twoCovariancesThatDoNotCommute() {
        FeatureGaussian a = new FeatureGaussian(new double[2], new SymmetricMatrix(new double[] {2, 1, 1, 3}, 2));
        FeatureGaussian b = new FeatureGaussian(new double[2], new SymmetricMatrix(new double[] {5, -1, -1, 1}, 2));
        double traceOfProduct = 2 * 5 + 2 * (1 * -1) + 3 * 1;
        double determinantOfProduct = (2 * 3 - 1) * (5 * 1 - 1);
        double expected = 5 + 6 - 2 * Math.sqrt(traceOfProduct + 2 * Math.sqrt(determinantOfProduct));
        assertEquals(expected, a.frechetDistance(b, workers), 1e-12);
        assertEquals(expected, b.frechetDistance(a, workers), 1e-12);
    }

    @Test
    void distanceToItselfIsZero() {
        FeatureGaussian gaussian = FeatureGaussian.fit(random(300, 16, 0), workers);
        assertEquals(0, gaussian.frechetDistance(gaussian, workers), 1e-9, "seed " + SEED);
    }

    @Test
    void shiftOfEveryVectorCostsItsSquaredLength() {
        FeatureGaussian here = FeatureGaussian.fit(random(300, 16, 0), workers);
        FeatureGaussian there = FeatureGaussian.fit(random(300, 16, 2), workers);
        assertEquals(16 * 4, here.frechetDistance(there, workers), 1e-4, "seed " + SEED);
    }

    @Test
    void fitIsTheUnbiasedCovariance() {
        FeatureGaussian fitted = FeatureGaussian.fit(new Features(new float[] {0, 0, 2, 4, 4, 2}, 3, 2), workers);
        assertArrayEquals(new double[] {2, 2}, fitted.mean(), 1e-15);
        assertArrayEquals(new double[] {4, 2, 2, 4}, fitted.covariance().values(), 1e-15);
    }

    /** More images than are centred at a time, odd sizes: the same covariance as by the definition. */
    @Test
    void fitOfManyVectors() {
        Features features = random(301, 11, 1);
        FeatureGaussian fitted = FeatureGaussian.fit(features, workers);
        for (int p = 0; p < 11; p++) {
            for (int q = 0; q < 11; q++) {
                double sum = 0;
                for (int i = 0; i < 301; i++) {
                    sum += (features.values()[i * 11 + p] - fitted.mean()[p])
                            * (features.values()[i * 11 + q] - fitted.mean()[q]);
                }
                assertEquals(sum / 300, fitted.covariance().values()[p * 11 + q], 1e-13, "seed " + SEED);
            }
        }
    }

    /** Four vectors span three dimensions of six: both covariances are singular, their distance is still known. */
    @Test
    void fewerImagesThanFeatures() {
        double[] here = {2, 0, 0, 0, 0, 0};
        FeatureGaussian a = new FeatureGaussian(here, diagonal(1, 1, 1, 0, 0, 0));
        FeatureGaussian b = new FeatureGaussian(new double[6], diagonal(0, 0, 4, 4, 4, 0));
        assertEquals(4 + 1 + 1 + 1 + 4 + 4, a.frechetDistance(b, workers), 1e-12);
        FeatureGaussian fitted = FeatureGaussian.fit(random(4, 6, 0), workers);
        assertEquals(0, fitted.frechetDistance(fitted, workers), 1e-8, "seed " + SEED);
    }

    @Test
    void oneVectorHasNoCovariance() {
        UserException e = assertThrows(UserException.class, () -> FeatureGaussian.fit(random(1, 4, 0), workers));
        assertTrue(e.getMessage().contains("at least 2 images"), e.getMessage());
    }

    private static SymmetricMatrix diagonal(double... values) {
        double[] matrix = new double[values.length * values.length];
        for (int i = 0; i < values.length; i++) {
            matrix[i * values.length + i] = values[i];
        }
        return new SymmetricMatrix(matrix, values.length);
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
