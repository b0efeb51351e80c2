package org.sapwood.synthesis;

import java.util.Arrays;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Tensor;

/**
 * Adds the sums of the engine's chains in ascending order, whichever worker finished first, so that ordinary training,
 * too, has the same bits for any number of threads.
 */
final class OrderedSum implements PublicGradientSum {
    private final float[][] byUnit;
    private final float[] sum;
    private final WorkerPool pool;

    /** A sum of at most {@code units} parts. */
    OrderedSum(int units, int size, WorkerPool pool) {
        this.pool = pool;
        byUnit = new float[units][size];
        sum = new float[size];
    }

    @Override
    public void accept(int worker, Backend backend, int unit, Tensor rows) {
        backend.download(rows, byUnit[unit], 0);
    }

    @Override
    public void prepare(TrainingState state) {
        // The state begins on the host.
    }

    @Override
    public void train(TrainingState state, float factor, double learningRate) {
        pool.forStretches(sum.length, (worker, from, to) -> total(factor, from, to));
        state.apply(sum, learningRate, pool);
    }

    /** Adds up coordinates {@code from} to {@code to} − 1 of all units, times {@code factor}. */
    private void total(float factor, int from, int to) {
        Arrays.fill(sum, from, to, 0);
        for (float[] part : byUnit) {
            for (int i = from; i < to; i++) {
                sum[i] += part[i];
            }
        }
        for (int i = from; i < to; i++) {
            sum[i] *= factor;
        }
    }
}
