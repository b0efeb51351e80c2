package org.sapwood.autograd;

import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Tensor;

/**
 * Gradients in memory, a row of all coordinates per example.
 *
 * @param backend where the rows are
 * @param rows [examples, P]
 */
public record RowGradients(Backend backend, Tensor rows) implements ExampleGradients {
    @Override
    public int examples() {
        return rows.dim(0);
    }

    @Override
    public void squaredNorms(int from, int length, double[] out) {
        backend.squaredNorms(rows, from, length, out);
    }

    @Override
    public void addTo(long[] sums, int from, int length, float[] scales) {
        backend.accumulateOnGrid(rows, from, length, scales, sums, from);
    }
}
