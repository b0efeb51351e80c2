package org.sapwood.synthesis.dpaf;

import java.util.Arrays;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.privacy.aggregation.BoundedSum;
import org.sapwood.privacy.aggregation.GradientGrid;

/**
 * Adds one vector per example to an exact integer sum, clipped on the way so that it moves the sum by no more than the
 * grid's sensitivity, whatever the rounding of its values was. One per worker.
 */
final class ExampleSum {
    private final GradientGrid grid;
    private final BoundedSum sum;
    private final double[] squaredNorm = new double[1];
    private final float[] scale = new float[1];

    ExampleSum(GradientGrid grid) {
        this.grid = grid;
        this.sum = new BoundedSum(grid.sumGrid());
    }

    /** The sum; private until it is noised. */
    BoundedSum sum() {
        return sum;
    }

    /**
     * Adds an example's vector at coordinate {@code to}. One with a NaN or an infinity adds nothing.
     *
     * @param values holds the vector from {@code from}, {@code length} long; all of what the example adds
     */
    void add(float[] values, int from, int length, int to) {
        double squares = 0;
        for (int i = from; i < from + length; i++) {
            squares += (double) values[i] * values[i];
        }
        squaredNorm[0] = squares;
        grid.scales(squaredNorm, scale);
        sum.add(values, from, length, scale[0], to);
    }

    /** Empty sums, one per worker. */
    static ExampleSum[] perWorker(GradientGrid grid, int workers) {
        ExampleSum[] sums = new ExampleSum[workers];
        Arrays.setAll(sums, worker -> new ExampleSum(grid));
        return sums;
    }

    /** What all workers have added; exact, so their order does not matter. */
    static BoundedSum merged(ExampleSum[] sums, WorkerPool pool) {
        BoundedSum total = sums[0].sum();
        total.merge(Arrays.stream(sums).skip(1).map(ExampleSum::sum).toList(), pool);
        return total;
    }
}
