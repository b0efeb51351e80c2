package org.sapwood.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sapwood.tensor.Backends;

class SymmetricMatrixTest {
    private static final long SEED = 7;

    private static Workers workers;

    @BeforeAll
    static void start() {
        workers = new Workers(Backends.choose("scalar"), 2);
    }

    @AfterAll
    static void stop() {
        workers.close();
    }

    /** Second differences: eigenvalues 2 − 2·cos(kπ/(n+1)); already tridiagonal. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 50})
    void secondDifferences(int n) {
        double[] values = new double[n * n];
        for (int i = 0; i < n; i++) {
            values[i * n + i] = 2;
            if (i > 0) {
                values[i * n + i - 1] = -1;
                values[(i - 1) * n + i] = -1;
            }
        }
        double[] expected = new double[n];
        Arrays.setAll(expected, k -> 2 - 2 * Math.cos((k + 1) * Math.PI / (n + 1)));
        assertEigenvalues(expected, values, 1e-14);
    }

    /**
     * min(i, j) from 1, dense, with eigenvalues 1/(4·sin²((2k−1)π/(4n+2))) over four orders of magnitude; 300 rows are
     * more than one task takes.
     */
    @ParameterizedTest
    @ValueSource(ints = {1, 5, 64, 300})
    void minimumOfIndices(int n) {
        double[] values = new double[n * n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                values[i * n + j] = 1e3 * (Math.min(i, j) + 1);
            }
        }
        double[] expected = new double[n];
        Arrays.setAll(expected, k -> {
            double sine = Math.sin((2 * k + 1) * Math.PI / (4 * n + 2));
            return 1e3 / (4 * sine * sine);
        });
        Arrays.sort(expected);
        assertEigenvalues(expected, values, 1e-13 * expected[n - 1]);
    }

    @Test
    void signsAndZerosSurvive() {
        assertEigenvalues(new double[] {-3, 0, 0, 5}, diagonal(0, 5, -3, 0), 0);
        assertEigenvalues(new double[] {-1, 1}, new double[] {0, 1, 1, 0}, 1e-15);
        assertEigenvalues(new double[3], new double[9], 0);
    }

    /** Rank 3 of 20 is what a covariance of four vectors looks like. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 20})
    void factorTimesItsTransposeIsTheMatrix(int rank) {
        int n = 20;
        double[] matrix = gram(n, rank);
        SymmetricMatrix.Factor factor = new SymmetricMatrix(matrix, n).factor(workers);
        assertEquals(rank, factor.rank(), "seed " + SEED);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int k = 0; k < factor.rank(); k++) {
                    sum += factor.transposed()[k * n + i] * factor.transposed()[k * n + j];
                }
                assertEquals(matrix[i * n + j], sum, 1e-13 * Math.max(1, rank), "seed " + SEED);
            }
        }
    }

    /** Gᵀ·B·G of A = G·Gᵀ has the eigenvalues of A·B, so their sum is tr(A·B), also if A has not full rank. */
    @ParameterizedTest
    @ValueSource(ints = {2, 7})
    void congruentMatrixHasTheEigenvaluesOfTheProduct(int rank) {
        int n = 7;
        double[] a = gram(n, rank);
        double[] b = gram(n, n);
        SymmetricMatrix product =
                new SymmetricMatrix(b, n).congruent(new SymmetricMatrix(a, n).factor(workers), workers);
        assertEquals(rank, product.size());
        double trace = 0;
        double squares = 0;
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                trace += a[i * n + j] * b[j * n + i];
                squares += entry(a, b, n, i, j) * entry(a, b, n, j, i);
            }
        }
        double[] eigenvalues = product.eigenvalues(workers);
        assertEquals(trace, Arrays.stream(eigenvalues).sum(), 1e-12 * trace, "seed " + SEED);
        assertEquals(squares, Arrays.stream(eigenvalues).map(x -> x * x).sum(), 1e-12 * squares, "seed " + SEED);
    }

    @Test
    void sameBitsForAnyNumberOfThreads() {
        int n = 301;
        SymmetricMatrix matrix = new SymmetricMatrix(gram(n, n), n);
        try (Workers one = new Workers(Backends.choose("scalar"), 1);
                Workers three = new Workers(Backends.choose("scalar"), 3)) {
            assertArrayEquals(matrix.eigenvalues(one), matrix.eigenvalues(three));
            double[] product = matrix.congruent(matrix.factor(one), one).values();
            assertArrayEquals(
                    product, matrix.congruent(matrix.factor(three), three).values());
        }
    }

    private static double entry(double[] a, double[] b, int n, int i, int j) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            sum += a[i * n + k] * b[k * n + j];
        }
        return sum;
    }

    private static void assertEigenvalues(double[] expected, double[] matrix, double tolerance) {
        double[] actual = new SymmetricMatrix(matrix, expected.length).eigenvalues(workers);
        Arrays.sort(actual);
        assertArrayEquals(expected, actual, tolerance);
    }

    private static double[] diagonal(double... values) {
        double[] matrix = new double[values.length * values.length];
        for (int i = 0; i < values.length; i++) {
            matrix[i * values.length + i] = values[i];
        }
        return matrix;
    }

    private static double[] gram(int n, int rank) {
        Random rng = new Random(SEED + rank);
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
