package org.sapwood.evaluation;

import java.util.Arrays;

/**
 * A real symmetric matrix of up to a few thousand rows, and what a Fréchet distance needs of it: a factor if it is
 * positive semi-definite, products, eigenvalues. Work is cut by rows or columns whose values do not depend on the cut, so
 * results have the same bits for any number of threads.
 *
 * @param values row-major, [n, n]; never written
 * @param size n
 */
@SuppressWarnings("ArrayRecordComponent") // handed on at once, never compared
record SymmetricMatrix(double[] values, int size) {
    /** Columns or rows of one task: enough work to be worth a task. */
    private static final int CHUNK = 256;

    /** Rows of a product that are computed together, so that a row of the right factor is read once for all of them. */
    private static final int ROWS = 8;

    /**
     * A factor G [n, rank] of a positive semi-definite matrix A = G·Gᵀ.
     *
     * @param transposed Gᵀ, row-major [rank, n]
     * @param rank number of pivots above rounding error
     */
    record Factor(double[] transposed, int rank) {}

    /**
     * The Cholesky factor with complete pivoting, which stops where the rest is rounding error (Higham 1990): a covariance
     * of fewer images than features has no full one.
     */
    Factor factor(Workers workers) {
        int n = size;
        double[] remaining = new double[n];
        double largest = 0;
        for (int i = 0; i < n; i++) {
            remaining[i] = values[i * n + i];
            largest = Math.max(largest, remaining[i]);
        }
        double tolerance = n * Math.ulp(1.0) * largest;
        double[] factor = new double[n * n];
        int rank = 0;
        for (; rank < n; rank++) {
            int pivot = largestIndex(remaining);
            if (remaining[pivot] <= tolerance) {
                break;
            }
            int row = rank;
            double root = Math.sqrt(remaining[pivot]);
            workers.forStretches(n, CHUNK, (worker, from, to) -> {
                System.arraycopy(values, pivot * n + from, factor, row * n + from, to - from);
                for (int j = 0; j < row; j++) {
                    add(factor, j * n + from, -factor[j * n + pivot], factor, row * n + from, to - from);
                }
                for (int i = from; i < to; i++) {
                    factor[row * n + i] = remaining[i] == 0 ? 0 : factor[row * n + i] / root;
                    remaining[i] = Math.max(0, remaining[i] - factor[row * n + i] * factor[row * n + i]);
                }
            });
            remaining[pivot] = 0;
        }
        return new Factor(Arrays.copyOf(factor, rank * n), rank);
    }

    private static int largestIndex(double[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            if (values[i] > values[best]) {
                best = i;
            }
        }
        return best;
    }

    /** Gᵀ·A·G, [rank, rank]. */
    SymmetricMatrix congruent(Factor factor, Workers workers) {
        int n = size;
        int rank = factor.rank();
        double[] plain = new double[n * rank];
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < rank; k++) {
                plain[i * rank + k] = factor.transposed()[k * n + i];
            }
        }
        double[] left = multiply(factor.transposed(), rank, values, n, n, workers);
        return new SymmetricMatrix(multiply(left, rank, plain, n, rank, workers), rank);
    }

    /** a·b with a [m, k] and b [k, n]. */
    private static double[] multiply(double[] a, int m, double[] b, int k, int n, Workers workers) {
        double[] c = new double[m * n];
        workers.forStretches(m, ROWS, (worker, from, to) -> {
            for (int j = 0; j < k; j++) {
                for (int i = from; i < to; i++) {
                    add(b, j * n, a[i * k + j], c, i * n, n);
                }
            }
        });
        return c;
    }

    /** target += factor·source, over {@code length} values; apart, because the compiler then uses vectors. */
    static void add(double[] source, int from, double factor, double[] target, int to, int length) {
        for (int i = 0; i < length; i++) {
            target[to + i] += factor * source[from + i];
        }
    }

    /**
     * All eigenvalues, in no particular order: Householder's reduction to a tridiagonal matrix, then implicit QL (Golub and
     * Van Loan, Matrix Computations, §8.3).
     */
    double[] eigenvalues(Workers workers) {
        int n = size;
        double scale = 0;
        for (double value : values) {
            scale = Math.max(scale, Math.abs(value));
        }
        if (scale == 0) {
            return new double[n];
        }
        double[] a = new double[n * n];
        for (int i = 0; i < a.length; i++) {
            a[i] = values[i] / scale;
        }
        double[] diagonal = new double[n];
        double[] beside = new double[n];
        tridiagonalize(a, n, diagonal, beside, workers);
        implicitQl(diagonal, beside);
        for (int i = 0; i < n; i++) {
            diagonal[i] *= scale;
        }
        return diagonal;
    }

    /** Destroys {@code a}; {@code beside[i]} is the entry between diagonal entries i and i + 1. */
    private static void tridiagonalize(double[] a, int n, double[] diagonal, double[] beside, Workers workers) {
        double[] v = new double[n];
        double[] w = new double[n];
        for (int k = 0; k < n; k++) {
            diagonal[k] = a[k * n + k];
            int first = k + 1;
            int length = n - first;
            if (length == 0) {
                return;
            }
            System.arraycopy(a, k * n + first, v, first, length);
            double norm = Math.sqrt(dot(v, v, first, n));
            double head = v[first];
            beside[k] = norm == Math.abs(head) ? head : -Math.copySign(norm, head);
            if (norm == Math.abs(head)) {
                continue;
            }
            v[first] = head - beside[k];
            double beta = 2 / dot(v, v, first, n);
            workers.forStretches(length, CHUNK, (worker, from, to) -> {
                Arrays.fill(w, first + from, first + to, 0);
                for (int i = first; i < n; i++) {
                    add(a, i * n + first + from, beta * v[i], w, first + from, to - from);
                }
            });
            add(v, first, -beta / 2 * dot(w, v, first, n), w, first, length);
            workers.forStretches(length, CHUNK, (worker, from, to) -> {
                for (int i = first + from; i < first + to; i++) {
                    add(w, first, -v[i], a, i * n + first, length);
                    add(v, first, -w[i], a, i * n + first, length);
                }
            });
        }
    }

    private static double dot(double[] a, double[] b, int from, int to) {
        double sum = 0;
        for (int i = from; i < to; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    /** Turns {@code d} into the eigenvalues of the tridiagonal matrix (d, e) with entries of at most about 1. */
    private static void implicitQl(double[] d, double[] e) {
        int n = d.length;
        for (int l = 0; l < n; l++) {
            for (int m = split(d, e, l); m > l; m = split(d, e, l)) {
                sweep(d, e, l, m);
            }
        }
    }

    /** The first index from {@code l} on whose coupling to the next is negligible. */
    private static int split(double[] d, double[] e, int l) {
        int m = l;
        while (m < d.length - 1 && Math.abs(e[m]) > Math.ulp(1.0) * (Math.abs(d[m]) + Math.abs(d[m + 1]))) {
            m++;
        }
        return m;
    }

    /** One QL step with Wilkinson's shift on rows l to m, chasing the bulge upwards. */
    private static void sweep(double[] d, double[] e, int l, int m) {
        double half = (d[l + 1] - d[l]) / (2 * e[l]);
        double shift = d[l] - e[l] / (half + Math.copySign(Math.sqrt(half * half + 1), half));
        double g = d[m] - shift;
        double sin = 1;
        double cos = 1;
        double carried = 0;
        for (int i = m - 1; i >= l; i--) {
            double f = sin * e[i];
            double b = cos * e[i];
            double r = Math.sqrt(f * f + g * g);
            e[i + 1] = r;
            if (r == 0) {
                d[i + 1] -= carried;
                e[m] = 0;
                return;
            }
            sin = f / r;
            cos = g / r;
            g = d[i + 1] - carried;
            double t = (d[i] - g) * sin + 2 * cos * b;
            carried = sin * t;
            d[i + 1] = g + carried;
            g = cos * t - b;
        }
        d[l] -= carried;
        e[l] = g;
        e[m] = 0;
    }
}
