package org.sapwood.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SymmetricEigenTest {
    private static final long SEED = 7;

    @Test
    void twoByTwo() {
        double[] values = SymmetricEigen.of(new double[] {2, 1, 1, 2}, 2).values();
        Arrays.sort(values);
        assertArrayEquals(new double[] {1, 3}, values, 1e-14);
    }

    /** Rank 3 of 20 is what a covariance of four vectors looks like. */
    @ParameterizedTest
    @ValueSource(ints = {3, 20, 40})
    void squareRootSquaredIsTheMatrix(int rank) {
        int n = 20;
        double[] matrix = gram(n, rank);
        double[] root = SymmetricEigen.of(matrix, n).squareRoot();
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int k = 0; k < n; k++) {
                    sum += root[i * n + k] * root[k * n + j];
                }
                assertEquals(matrix[i * n + j], sum, 1e-12 * rank, "seed " + SEED);
            }
        }
    }

    @Test
    void zeroMatrix() {
        assertArrayEquals(new double[9], SymmetricEigen.of(new double[9], 3).squareRoot());
    }

    private static double[] gram(int n, int rank) {
        UniformRandomProvider rng = RandomSource.XO_SHI_RO_256_PP.create(SEED);
        double[] factor = rng.doubles((long) n * rank, -1, 1).toArray();
        double[] matrix = new double[n * n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                for (int k = 0; k < rank; k++) {
                    matrix[i * n + j] += factor[i * rank + k] * factor[j * rank + k];
                }
            }
        }
        return matrix;
    }
}
