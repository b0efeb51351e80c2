package org.sapwood.synthesis;

import java.util.Arrays;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Tensor;

/**
 * Adds the sums of the engine's chains in ascending order, whichever worker finished first, so that ordinary training,
 * too, has the same bits for any number of threads.
 */
final class OrderedSum implements PublicGradientSum {
    private final float[][] byUnit;
    private final float[] sum;

    /** A sum of at most {@code units} parts. */
    OrderedSum(int units, int size) {
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
        state.apply(total(factor), learningRate);
    }

    /** The sum over all units, times {@code factor}; the array is reused by the next call. */
    private float[] total(float factor) {
        Arrays.fill(sum, 0);
        for (float[] part : byUnit) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += part[i];
            }
        }
        for (int i = 0; i < sum.length; i++) {
            sum[i] *= factor;
        }
        return sum;
    }
}
