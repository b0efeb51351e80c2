package org.sapwood.synthesis;

import java.util.Arrays;
import java.util.List;
import org.sapwood.autograd.ExampleGradients;
import org.sapwood.autograd.RowGradients;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.privacy.aggregation.BoundedSum;
import org.sapwood.privacy.aggregation.GradientGrid;
import org.sapwood.privacy.aggregation.NoisedSum;
import org.sapwood.privacy.ledger.Charge;
import org.sapwood.privacy.random.GaussianNoise;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ClipPlan.Group;
import org.sapwood.tensor.Tensor;

/** One exact sum per worker on the host; they are merged and noised once per logical batch. */
final class HostGradientSum implements PrivateGradientSum {
    /** What one worker clips with. */
    private static final class Scratch {
        final double[][] squaredNorms;
        final double[] ofExample;
        final float[][] scales;
        final float[] ofGroup;

        Scratch(int groups, int rows) {
            squaredNorms = new double[groups][rows];
            ofExample = new double[groups];
            scales = new float[rows][groups];
            ofGroup = new float[rows];
        }
    }

    private final GradientGrid grid;
    private final List<Group> groups;
    private final BoundedSum[] sums;
    private final Scratch[] scratch;
    private final WorkerPool pool;
    private final float[] update;

    HostGradientSum(GradientGrid grid, List<Group> groups, WorkerPool pool, int rows) {
        this.grid = grid;
        this.groups = groups;
        this.pool = pool;
        this.update = new float[grid.sumGrid().coordinates()];
        sums = new BoundedSum[pool.workers()];
        scratch = new Scratch[pool.workers()];
        for (int i = 0; i < sums.length; i++) {
            sums[i] = new BoundedSum(grid.sumGrid());
            scratch[i] = new Scratch(groups.size(), rows);
        }
    }

    @Override
    public void accept(int worker, Backend backend, int unit, Tensor rows) {
        accept(worker, new RowGradients(backend, rows));
    }

    @Override
    public void accept(int worker, ExampleGradients gradients) {
        Scratch s = scratch[worker];
        long[] units = sums[worker].units();
        for (int g = 0; g < groups.size(); g++) {
            Group group = groups.get(g);
            gradients.squaredNorms(group.from(), group.length(), s.squaredNorms[g]);
        }
        for (int row = 0; row < gradients.examples(); row++) {
            for (int g = 0; g < groups.size(); g++) {
                float weight = groups.get(g).weight();
                s.ofExample[g] = s.squaredNorms[g][row] * weight * weight;
            }
            grid.scales(s.ofExample, s.scales[row]);
        }
        for (int g = 0; g < groups.size(); g++) {
            Group group = groups.get(g);
            for (int row = 0; row < gradients.examples(); row++) {
                s.ofGroup[row] = s.scales[row][g] * group.weight();
            }
            gradients.addTo(units, group.from(), group.length(), s.ofGroup);
        }
    }

    @Override
    public void prepare(TrainingState state) {
        // The state begins on the host.
    }

    @Override
    public void release(
            Charge charge, GaussianNoise noise, ExpectedBatchSize batch, TrainingState state, double learningRate) {
        merge();
        NoisedSum noised = sums[0].noised(charge, noise, pool);
        noised.meanOver(batch, update);
        sums[0] = noised.recycle();
        state.apply(update, learningRate, pool);
    }

    private void merge() {
        sums[0].merge(Arrays.asList(sums).subList(1, sums.length), pool);
    }

    @Override
    public double updateNorm() {
        double squares = 0;
        for (float u : update) {
            squares += (double) u * u;
        }
        return Math.sqrt(squares);
    }

    @Override
    public long[] mergedUnits() {
        merge();
        return sums[0].units();
    }

    /** The mean that the last step released. */
    float[] lastUpdate() {
        return update.clone();
    }
}
