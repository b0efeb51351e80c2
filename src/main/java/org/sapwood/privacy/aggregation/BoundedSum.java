package org.sapwood.privacy.aggregation;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.privacy.ledger.Charge;
import org.sapwood.privacy.random.GaussianNoise;

/**
 * An exact sum of contributions that knows its own L2 sensitivity, and turns into a {@link NoisedSum} exactly once.
 *
 * <p>Its content is private: {@link #units} is for accumulating into, and nothing of it may be printed or saved. Sums
 * of micro-batches, threads and devices are merged first and noised once: a second {@link #noised} throws, and every
 * one needs its own {@link Charge} and its own noise stream. Not thread-safe.
 */
public final class BoundedSum {

    private final SumGrid grid;
    private final NoiseAdder adder;
    private long @Nullable [] units;

    /** An empty sum. */
    public BoundedSum(SumGrid grid) {
        this(grid, new long[grid.coordinates()], new NoiseAdder());
    }

    BoundedSum(SumGrid grid, long[] zeroed, NoiseAdder adder) {
        this.grid = grid;
        this.adder = adder;
        this.units = zeroed;
    }

    /** What the integers mean. */
    public SumGrid grid() {
        return grid;
    }

    /** The largest L2 norm, in real units, of what one example adds. */
    public double sensitivity() {
        return grid.sensitivity();
    }

    /**
     * The integers to accumulate into, in units of the grid's step.
     *
     * @throws IllegalStateException if the sum was noised
     */
    public long[] units() {
        long[] live = units;
        if (live == null) {
            throw new IllegalStateException("this sum was already noised; noise is added exactly once");
        }
        return live;
    }

    /** Adds a stretch of one example's gradient; see {@link GradientGrid#accumulate}. */
    public void add(float[] gradient, int offset, int length, float scale, int sumOffset) {
        GradientGrid.accumulate(gradient, offset, length, scale, units(), sumOffset);
    }

    /**
     * Adds other sums, exactly, and zeroes them, so that they can go on accumulating but nothing is added twice.
     *
     * @param pool divides the coordinates
     * @throws IllegalArgumentException if one lies on another grid, or is this one; nothing is added then
     */
    public void merge(List<BoundedSum> others, WorkerPool pool) {
        for (BoundedSum other : others) {
            if (!grid.equals(other.grid)) {
                throw new IllegalArgumentException("cannot merge a sum on " + other.grid + " into one on " + grid);
            }
            if (other == this) {
                throw new IllegalArgumentException("cannot merge a sum into itself");
            }
        }
        long[] mine = units();
        List<long[]> theirs = others.stream().map(BoundedSum::units).toList();
        pool.forStretches(mine.length, (worker, from, to) -> {
            for (long[] other : theirs) {
                for (int i = from; i < to; i++) {
                    mine[i] += other[i];
                }
                Arrays.fill(other, from, to, 0);
            }
        });
    }

    /**
     * Adds Gaussian noise of standard deviation σ · sensitivity to every coordinate, rounded to the grid, and hands the
     * result over. The bits do not depend on the pool. A sum whose noise did not become complete is never handed over.
     *
     * @param charge proof that the ledger has recorded this step; σ comes from its event
     * @param noise a fresh stream
     * @param pool makes the noise, and later the mean; open as long as either is used
     * @throws IllegalStateException if the sum, the charge or the noise was used before
     * @throws IllegalArgumentException if the charged event states another sensitivity than this sum has
     */
    public NoisedSum noised(Charge charge, GaussianNoise noise, WorkerPool pool) {
        long[] sums = units();
        double noiseMultiplier = charge.claim(grid.sensitivity());
        noise.claim();
        units = null;
        adder.add(sums, noiseMultiplier * grid.sensitivity() / grid.step(), noise, pool);
        return new NoisedSum(grid, sums, adder, pool);
    }

    @Override
    public String toString() {
        return "BoundedSum[" + grid + "]";
    }
}
