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
    /** Coordinates that are summed at a time: 128 KiB of integers. */
    private static final int BLOCK = 1 << 14;

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
        addTo(backend, rows, from, length, scales, sums, from);
    }

    /** The same for rows whose column {@code from} is coordinate {@code to}. */
    static void addTo(Backend backend, Tensor rows, int from, int length, float[] scales, long[] sums, int to) {
        // All examples of a block before the next block, so that the block of integers stays in cache.
        for (int done = 0; done < length; done += BLOCK) {
            int count = Math.min(BLOCK, length - done);
            for (int row = 0; row < rows.dim(0); row++) {
                // 0 times NaN is NaN.
                if (scales[row] != 0) {
                    backend.accumulateOnGrid(rows, row, from + done, count, scales[row], sums, to + done);
                }
            }
        }
    }
}
