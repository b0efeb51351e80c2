package org.sapwood.tensor.scalar;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Tensor;

/** Matrix products. Every output row is a sum of scaled rows of the right factor. */
final class ScalarBlas {
    private ScalarBlas() {}

    static void matmul(
            Tensor a, boolean transposeA, Tensor b, boolean transposeB, float alpha, Tensor c, boolean accumulate) {
        int m = c.dim(0);
        int n = c.dim(1);
        int k = a.dim(transposeA ? 0 : 1);
        int rowStride = transposeA ? 1 : k;
        int columnStride = transposeA ? m : 1;
        float[] right = transposeB ? transpose(b.array(), b.offset(), n, k) : b.array();
        int rightStart = transposeB ? 0 : b.offset();
        double[] sums = new double[n];
        for (int row = 0; row < m; row++) {
            Arrays.fill(sums, 0);
            for (int i = 0; i < k; i++) {
                float factor = a.array()[a.offset() + row * rowStride + i * columnStride];
                Sums.addProduct(sums, factor, right, rightStart + i * n);
            }
            Sums.store(sums, alpha, c.array(), c.offset() + row * n, accumulate);
        }
    }

    static void linear(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor y) {
        int in = x.dim(-1);
        int out = y.dim(-1);
        float[] transposed = transpose(weight.array(), weight.offset(), out, in);
        double[] sums = new double[out];
        for (int row = 0; row < y.size() / out; row++) {
            startFromBias(sums, bias);
            for (int i = 0; i < in; i++) {
                Sums.addProduct(sums, x.array()[x.offset() + row * in + i], transposed, i * out);
            }
            Sums.store(sums, 1, y.array(), y.offset() + row * out, false);
        }
    }

    static void linearBackwardInput(Tensor dy, Tensor weight, Tensor dx, boolean accumulate) {
        matmul(asRows(dy), false, weight, false, 1, asRows(dx), accumulate);
    }

    /** The same memory as a matrix [R, C], C being the innermost extent. */
    static Tensor asRows(Tensor tensor) {
        int columns = tensor.dim(-1);
        return tensor.reshape(tensor.size() / columns, columns);
    }

    /** sums = bias, or zero where there is none. */
    static void startFromBias(double[] sums, @Nullable Tensor bias) {
        for (int j = 0; j < sums.length; j++) {
            sums[j] = bias == null ? 0 : bias.array()[bias.offset() + j];
        }
    }

    /** The transpose [columns, rows] of the matrix [rows, columns] that begins at {@code start}. */
    static float[] transpose(float[] matrix, int start, int rows, int columns) {
        float[] transposed = new float[rows * columns];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                transposed[column * rows + row] = matrix[start + row * columns + column];
            }
        }
        return transposed;
    }
}
