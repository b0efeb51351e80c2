package org.sapwood.evaluation;

/**
 * Eigenvalues and eigenvectors of a small symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan, Matrix
 * Computations, §8.5), which find small eigenvalues of covariance matrices accurately.
 *
 * @param values eigenvalues, in no particular order, [n]
 * @param vectors row-major [n, n]; column i belongs to value i
 */
@SuppressWarnings("ArrayRecordComponent") // handed on at once, never compared
record SymmetricEigen(double[] values, double[] vectors) {
    private static final int MAX_SWEEPS = 60;
    private static final double RELATIVE_TOLERANCE = 1e-15;

    /** Decomposes {@code matrix} [n, n], of which a copy is taken; only its symmetry is relied upon. */
    static SymmetricEigen of(double[] matrix, int n) {
        double[] a = matrix.clone();
        double[] v = identity(n);
        double scale = 0;
        for (double value : a) {
            scale = Math.max(scale, Math.abs(value));
        }
        for (int sweep = 0; sweep < MAX_SWEEPS && largestOffDiagonal(a, n) > RELATIVE_TOLERANCE * scale; sweep++) {
            for (int p = 0; p < n; p++) {
                for (int q = p + 1; q < n; q++) {
                    if (a[p * n + q] != 0) {
                        rotate(a, v, n, p, q);
                    }
                }
            }
        }
        double[] values = new double[n];
        for (int i = 0; i < n; i++) {
            values[i] = a[i * n + i];
        }
        return new SymmetricEigen(values, v);
    }

    /** Applies the rotation in the plane (p, q) that makes a[p, q] zero. */
    private static void rotate(double[] a, double[] v, int n, int p, int q) {
        double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
        double tan = Math.copySign(1, theta) / (Math.abs(theta) + Math.hypot(1, theta));
        double cos = 1 / Math.hypot(1, tan);
        double sin = tan * cos;
        for (int k = 0; k < n; k++) {
            rotatePair(a, k * n + p, k * n + q, cos, sin);
            rotatePair(v, k * n + p, k * n + q, cos, sin);
        }
        for (int k = 0; k < n; k++) {
            rotatePair(a, p * n + k, q * n + k, cos, sin);
        }
    }

    private static void rotatePair(double[] m, int i, int j, double cos, double sin) {
        double x = m[i];
        double y = m[j];
        m[i] = cos * x - sin * y;
        m[j] = sin * x + cos * y;
    }

    private static double largestOffDiagonal(double[] a, int n) {
        double largest = 0;
        for (int p = 0; p < n; p++) {
            for (int q = p + 1; q < n; q++) {
                largest = Math.max(largest, Math.abs(a[p * n + q]));
            }
        }
        return largest;
    }

    private static double[] identity(int n) {
        double[] identity = new double[n * n];
        for (int i = 0; i < n; i++) {
            identity[i * n + i] = 1;
        }
        return identity;
    }

    /** The positive semi-definite square root, row-major [n, n]; eigenvalues below zero by rounding count as zero. */
    double[] squareRoot() {
        int n = values.length;
        double[] root = new double[n * n];
        for (int k = 0; k < n; k++) {
            double weight = Math.sqrt(Math.max(0, values[k]));
            for (int i = 0; i < n; i++) {
                double scaled = weight * vectors[i * n + k];
                for (int j = 0; j < n; j++) {
                    root[i * n + j] += scaled * vectors[j * n + k];
                }
            }
        }
        return root;
    }
}
