package org.sapwood.privacy.aggregation;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.privacy.sampling.ExpectedBatchSize;

/** A sum after its noise: anything may be done with it. */
public final class NoisedSum {

    private final SumGrid grid;
    private final NoiseAdder adder;
    private final WorkerPool pool;
    private long @Nullable [] units;

    /** @param pool divides the coordinates */
    NoisedSum(SumGrid grid, long[] units, NoiseAdder adder, WorkerPool pool) {
        this.grid = grid;
        this.adder = adder;
        this.pool = pool;
        this.units = units;
    }

    private long[] live() {
        long[] live = units;
        if (live == null) {
            throw new IllegalStateException("this noised sum was recycled");
        }
        return live;
    }

    /** How many coordinates there are. */
    public int coordinates() {
        return grid.coordinates();
    }

    /** The noised sum in real units, exactly. */
    public double[] values() {
        return Arrays.stream(live()).mapToDouble(unit -> unit * grid.step()).toArray();
    }

    /**
     * The noised mean: the sum divided by the public expected batch size. There is no way to divide by the size a batch
     * happened to have.
     *
     * @param batch the public constant B
     * @param mean receives one float per coordinate
     */
    public void meanOver(ExpectedBatchSize batch, float[] mean) {
        long[] sums = live();
        double perUnit = grid.step() / batch.examples();
        pool.forStretches(sums.length, (worker, from, to) -> {
            for (int i = from; i < to; i++) {
                mean[i] = (float) (sums[i] * perUnit);
            }
        });
    }

    /** A new, empty sum on the same grid that takes over this one's memory; this one cannot be read any more. */
    public BoundedSum recycle() {
        long[] memory = live();
        units = null;
        pool.forStretches(memory.length, (worker, from, to) -> Arrays.fill(memory, from, to, 0));
        return new BoundedSum(grid, memory, adder);
    }
}
