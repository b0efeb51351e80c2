package org.sapwood.synthesis;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.privacy.aggregation.BoundedSum;
import org.sapwood.privacy.aggregation.GradientGrid;
import org.sapwood.privacy.aggregation.NoisedSum;
import org.sapwood.privacy.ledger.Charge;
import org.sapwood.privacy.random.GaussianNoise;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Tensor;

/**
 * Clips every example's gradient once and adds it to an exact integer sum, one per worker; the sums are merged and
 * noised once per logical batch.
 */
final class PrivateGradientSum implements GradientEngine.RowConsumer {
    /** Coordinates that are summed at a time: 128 KiB of integers. */
    private static final int BLOCK = 1 << 14;

    /**
     * Columns of the gradient rows whose norm is taken together.
     *
     * @param weight power of two by which the gradient counts, exact in floating point
     */
    private record Group(int from, int length, float weight) {}

    /** What one worker clips with. */
    private static final class Scratch {
        final double[][] squaredNorms;
        final double[] ofExample;
        final float[][] scales;

        Scratch(int groups, int rows) {
            squaredNorms = new double[groups][rows];
            ofExample = new double[groups];
            scales = new float[rows][groups];
        }
    }

    private final GradientGrid grid;
    private final List<Group> groups;
    private final BoundedSum[] sums;
    private final Scratch[] scratch;
    private final int threads;

    private PrivateGradientSum(GradientGrid grid, List<Group> groups, int workers, int rows) {
        this.grid = grid;
        this.groups = groups;
        this.threads = workers;
        sums = new BoundedSum[workers];
        scratch = new Scratch[workers];
        for (int i = 0; i < workers; i++) {
            sums[i] = new BoundedSum(grid.sumGrid());
            scratch[i] = new Scratch(groups.size(), rows);
        }
    }

    /** A sum for a rule with one norm over all parameters. */
    static PrivateGradientSum flat(GradientGrid grid, ParameterVector parameters, int workers, int rows) {
        return new PrivateGradientSum(grid, List.of(new Group(0, parameters.size(), 1)), workers, rows);
    }

    /**
     * A sum for a rule with one norm over all parameters, where the label embedder's gradient counts {@code labelScale}
     * times. The scale is a public constant, so the sum is that of another, equally clipped vector and its sensitivity
     * the same; the optimizer, which normalises every coordinate, needs no unscaling.
     */
    static PrivateGradientSum flat(
            GradientGrid grid, ParameterVector parameters, int labelScale, int workers, int rows) {
        List<Group> groups = new ArrayList<>();
        int from = 0;
        for (Parameter parameter : parameters.parameters()) {
            if (PublicModel.isLabelEmbedder(parameter.name())) {
                int at = parameters.offset(parameters.position(parameter));
                groups.add(new Group(from, at - from, 1));
                groups.add(new Group(at, parameter.size(), labelScale));
                from = at + parameter.size();
            }
        }
        groups.add(new Group(from, parameters.size() - from, 1));
        groups.removeIf(group -> group.length() == 0);
        return new PrivateGradientSum(grid, groups, workers, rows);
    }

    /** A sum for a rule with one norm per parameter. */
    static PrivateGradientSum byParameter(GradientGrid grid, ParameterVector parameters, int workers, int rows) {
        List<Parameter> list = parameters.parameters();
        List<Group> groups = IntStream.range(0, list.size())
                .mapToObj(i -> new Group(parameters.offset(i), list.get(i).size(), 1))
                .toList();
        return new PrivateGradientSum(grid, groups, workers, rows);
    }

    @Override
    public void accept(int worker, Backend backend, int unit, Tensor rows) {
        Scratch s = scratch[worker];
        long[] units = sums[worker].units();
        for (int g = 0; g < groups.size(); g++) {
            Group group = groups.get(g);
            backend.squaredNorms(rows, group.from(), group.length(), s.squaredNorms[g]);
        }
        int examples = rows.dim(0);
        for (int row = 0; row < examples; row++) {
            for (int g = 0; g < groups.size(); g++) {
                float weight = groups.get(g).weight();
                s.ofExample[g] = s.squaredNorms[g][row] * weight * weight;
            }
            grid.scales(s.ofExample, s.scales[row]);
        }
        for (int g = 0; g < groups.size(); g++) {
            Group group = groups.get(g);
            int end = group.from() + group.length();
            // All examples of a block before the next block, so that the block of integers stays in cache.
            for (int from = group.from(); from < end; from += BLOCK) {
                int length = Math.min(BLOCK, end - from);
                for (int row = 0; row < examples; row++) {
                    float scale = s.scales[row][g] * group.weight();
                    // A scale of 0 marks an example that must not be touched: 0 times NaN is NaN.
                    if (scale != 0) {
                        backend.accumulateOnGrid(rows, row, from, length, scale, units);
                    }
                }
            }
        }
    }

    /**
     * Merges the workers' sums, adds noise, and hands the result to {@code use}; the memory is then used for the next
     * logical batch.
     *
     * @param charge proof that the step is recorded
     * @param noise a fresh stream
     */
    void release(Charge charge, GaussianNoise noise, Consumer<NoisedSum> use) {
        merge();
        NoisedSum noised = sums[0].noised(charge, noise, threads);
        use.accept(noised);
        sums[0] = noised.recycle();
    }

    private void merge() {
        for (int i = 1; i < sums.length; i++) {
            sums[0].merge(sums[i]);
        }
    }

    /** The exact sum so far, in units of the grid; private, for tests of what enters it. */
    long[] mergedUnits() {
        merge();
        return sums[0].units();
    }
}
