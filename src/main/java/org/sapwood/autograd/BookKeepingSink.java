package org.sapwood.autograd;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.GradientPlan.Choice;
import org.sapwood.autograd.GradientPlan.Layer;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/**
 * The gradients of single examples with less memory than their rows take. By a {@link GradientPlan} some are kept as rows;
 * of the other weight matrices only the output gradient is kept, beside the input, which the tape keeps anyway. Their
 * norms are found without keeping the gradients, and when the example's scale is known each gradient is computed once
 * more, alone, and added to the sum while it is in cache. There is no second backward pass, and no product over several
 * examples: every coordinate of every example is rounded to the grid by itself, so the sums stay exact and the bits do not
 * depend on micro-batches or threads. The host only; a device keeps its rows.
 *
 * <p><b>Why the clip holds.</b> The scale of an example comes from the norms n_l that {@link #squaredNorms} has claimed
 * for its layers. What is added is another computation, so it is not trusted to have that norm: the norm a_l of the very
 * floats that are added is taken, in fp64, and where a_l > n_l they are scaled by n_l/a_l more, rounded down. Hence what a
 * layer adds is never longer than what was claimed for it, and the claimed norms are those that the clip has bounded. This
 * holds whatever is wrong with a claim: the floats of a Gram matrix, or a kept tensor that was overwritten.
 *
 * <p>All draws of an example must be in one pass, and a matrix whose gradient is not kept may be used once on the tape.
 */
public final class BookKeepingSink extends RowSink implements ExampleGradients {
    /** Finds squared norms; NaN if it cannot. */
    @FunctionalInterface
    interface NormFinder {
        double squared(Tensor x, Tensor dy, float alpha, @Nullable ConvGeometry geometry);
    }

    private final Backend backend;
    private final int examples;
    private final int draws;
    private final List<Stretch> stretches;
    private final @Nullable OutputGradient[] kept;
    private final Tensor scratch;
    private final NormFinder ghost;
    private final double[] ofStretch;
    private final double[] ofRow = new double[1];
    private final float[] ofScale = new float[1];

    /** Coordinates [from, from + length): columns of the rows from {@code column} on, or one matrix to be made anew. */
    private record Stretch(
            int from, int length, int column, @Nullable OutputGradient made) {}

    /** What the gradient of one weight matrix is made from, and the norms that were claimed for it. */
    private static final class OutputGradient {
        final Layer layer;
        final Tensor memory;
        final double[] claimed;

        @Nullable
        Factors factors;

        OutputGradient(Layer layer, Tensor memory, int examples) {
            this.layer = layer;
            this.memory = memory;
            this.claimed = new double[examples];
        }
    }

    /** What a gradient is the product of; {@code geometry} is null for a linear layer. */
    private record Factors(
            Tensor x, Tensor dy, float alpha, @Nullable ConvGeometry geometry) {
        /** Those of samples [from, to). */
        Factors slice(int from, int to) {
            return new Factors(x.slice(from, to), dy.slice(from, to), alpha, geometry);
        }
    }

    /**
     * @param plan whose draws are consecutive samples of the batch
     * @param examples in the batch
     */
    public BookKeepingSink(Backend backend, Arena arena, ParameterVector parameters, GradientPlan plan, int examples) {
        this(backend, arena, parameters, plan, examples, ghost(backend, arena, plan));
    }

    BookKeepingSink(
            Backend backend,
            Arena arena,
            ParameterVector parameters,
            GradientPlan plan,
            int examples,
            NormFinder ghost) {
        super(backend, arena.allocate(examples, columns(plan)), parameters, columnsOf(plan), plan.draws());
        this.backend = backend;
        this.examples = examples;
        this.draws = plan.draws();
        this.ghost = ghost;
        this.ofStretch = new double[examples];
        List<Layer> layers = plan.layers();
        kept = new OutputGradient[layers.size()];
        int largest = 0;
        for (int i = 0; i < kept.length; i++) {
            Layer layer = layers.get(i);
            LayerCost cost = layer.cost();
            if (layer.choice() != Choice.MATERIALISE && cost != null) {
                int size = Math.multiplyExact(cost.tokens(), cost.outputs());
                kept[i] = new OutputGradient(layer, arena.allocate(examples, size), examples);
                largest = Math.max(largest, layer.parameter().size());
            }
        }
        scratch = arena.allocate(largest);
        stretches = stretches(parameters);
    }

    private static NormFinder ghost(Backend backend, Arena arena, GradientPlan plan) {
        int tokens = 0;
        int windowed = 0;
        for (Layer layer : plan.layers()) {
            LayerCost cost = layer.cost();
            if (layer.choice() == Choice.GHOST && cost != null) {
                tokens = Math.max(tokens, cost.tokens());
                windowed = Math.max(windowed, Math.multiplyExact(cost.tokens(), cost.inputs()));
            }
        }
        return new GhostNorm(backend, arena, tokens, windowed)::squared;
    }

    /** First column of every parameter, −1 for those that have none. */
    private static int[] columnsOf(GradientPlan plan) {
        int[] columns = new int[plan.layers().size()];
        int next = 0;
        for (int i = 0; i < columns.length; i++) {
            Layer layer = plan.layers().get(i);
            boolean row = layer.choice() == Choice.MATERIALISE;
            columns[i] = row ? next : -1;
            next += row ? layer.parameter().size() : 0;
        }
        return columns;
    }

    private static int columns(GradientPlan plan) {
        return plan.layers().stream()
                .filter(layer -> layer.choice() == Choice.MATERIALISE)
                .mapToInt(layer -> layer.parameter().size())
                .sum();
    }

    private List<Stretch> stretches(ParameterVector parameters) {
        List<Stretch> result = new ArrayList<>();
        int column = 0;
        for (int i = 0; i < kept.length; i++) {
            int from = parameters.offset(i);
            int length = parameters.parameters().get(i).size();
            OutputGradient made = kept[i];
            Stretch last = result.isEmpty() ? null : result.getLast();
            if (made == null && last != null && last.made == null) {
                result.set(result.size() - 1, new Stretch(last.from, last.length + length, last.column, null));
            } else {
                result.add(new Stretch(from, length, column, made));
            }
            column += made == null ? length : 0;
        }
        return result;
    }

    @Override
    public void weight(Parameter weight, Tensor x, Tensor dy, float alpha) {
        OutputGradient own = keptOf(weight);
        if (own == null) {
            super.weight(weight, x, dy, alpha);
        } else {
            keep(own, x, dy, alpha, null);
        }
    }

    @Override
    public void convolution(
            Parameter weight, Tensor x, Tensor dy, ConvGeometry geometry, @Nullable Tensor dx, boolean accumulate) {
        OutputGradient own = keptOf(weight);
        if (own == null) {
            super.convolution(weight, x, dy, geometry, dx, accumulate);
            return;
        }
        if (dx != null) {
            backend.conv2dBackwardInput(dy, weight.value(), geometry, dx, accumulate);
        }
        keep(own, x, dy, 1f, geometry);
    }

    private @Nullable OutputGradient keptOf(Parameter weight) {
        return kept[parameters().position(weight)];
    }

    private void keep(OutputGradient own, Tensor x, Tensor dy, float alpha, @Nullable ConvGeometry geometry) {
        String name = own.layer.parameter().name();
        if (own.factors != null) {
            throw new IllegalStateException("parameter " + name + " is used twice on the tape, and the plan to make its"
                    + " gradient anew is for one use");
        }
        if (dy.size() != own.memory.size()) {
            throw new IllegalStateException("the output gradient of " + name + " has " + dy.size()
                    + " numbers, but the plan was made for " + own.memory.size());
        }
        // The tape uses the memory of gradients again; that of inputs is left alone until the next forward pass.
        Tensor copy = own.memory.reshape(dy.shape().toArray());
        backend.scale(dy, 1f, copy, false);
        own.factors = new Factors(x, copy, alpha, geometry);
    }

    @Override
    public void clear() {
        super.clear();
        for (OutputGradient own : kept) {
            if (own != null) {
                own.factors = null;
            }
        }
    }

    /** Completes the rows, and finds the norms of what is not in them. */
    @Override
    public void finish() {
        super.finish();
        for (OutputGradient own : kept) {
            if (own != null) {
                Factors factors = own.factors;
                for (int example = 0; example < examples; example++) {
                    own.claimed[example] = factors == null ? 0 : claim(own.layer, of(example, factors));
                }
            }
        }
    }

    private Factors of(int example, Factors all) {
        return all.slice(example * draws, (example + 1) * draws);
    }

    private double claim(Layer layer, Factors factors) {
        if (layer.choice() == Choice.GHOST) {
            double squared = ghost.squared(factors.x, factors.dy, factors.alpha, factors.geometry);
            if (squared >= 0) {
                return squared;
            }
        }
        return squaredNorm(make(layer, factors));
    }

    private double squaredNorm(Tensor row) {
        backend.squaredNorms(row, 0, row.size(), ofRow);
        return ofRow[0];
    }

    @Override
    public int examples() {
        return examples;
    }

    @Override
    public void squaredNorms(int from, int length, double[] out) {
        Arrays.fill(out, 0, examples, 0);
        for (Stretch stretch : stretches) {
            int first = Math.max(from, stretch.from);
            int count = Math.min(from + length, stretch.from + stretch.length) - first;
            if (count > 0) {
                double[] squares = ofStretch;
                if (stretch.made == null) {
                    backend.squaredNorms(matrix(), stretch.column + first - stretch.from, count, squares);
                } else {
                    squares = stretch.made.claimed;
                }
                for (int example = 0; example < examples; example++) {
                    out[example] += squares[example];
                }
            }
        }
    }

    @Override
    public void addTo(long[] sums, int from, int length, float[] scales) {
        for (Stretch stretch : stretches) {
            int first = Math.max(from, stretch.from);
            int count = Math.min(from + length, stretch.from + stretch.length) - first;
            if (count <= 0) {
                continue;
            }
            if (stretch.made == null) {
                int column = stretch.column + first - stretch.from;
                backend.accumulateOnGrid(matrix(), column, count, scales, sums, first);
            } else {
                addMade(stretch.made, scales, sums, first);
            }
        }
    }

    private void addMade(OutputGradient own, float[] scales, long[] sums, int to) {
        Factors factors = own.factors;
        for (int example = 0; factors != null && example < examples; example++) {
            if (scales[example] == 0) {
                continue;
            }
            Tensor row = make(own.layer, of(example, factors));
            ofScale[0] = limited(scales[example], own.claimed[example], squaredNorm(row));
            backend.accumulateOnGrid(row, 0, row.size(), ofScale, sums, to);
        }
    }

    /**
     * The scale at which a gradient of squared norm {@code actual} is no longer than one of {@code claimed} at
     * {@code scale}: the same, if it is no longer anyway.
     */
    static float limited(float scale, double claimed, double actual) {
        if (actual <= claimed) {
            return scale;
        }
        if (!(actual < Double.POSITIVE_INFINITY)) {
            return 0;
        }
        // The factor covers the rounding of quotient, root and products; the float is rounded down.
        double limited = scale * (Math.sqrt(claimed / actual) * (1 - 0x1p-40));
        return Math.max(0, Math.nextDown((float) limited));
    }

    /** Computes the gradient of one example, [1, size], in a place that the next one takes. */
    private Tensor make(Layer layer, Factors factors) {
        Tensor row = new Tensor(Shape.of(1, layer.parameter().size()), scratch.storage(), scratch.offset());
        GradientRows target = new GradientRows(row, 0, draws, false);
        if (factors.geometry == null) {
            backend.weightGradient(factors.x, factors.dy, factors.alpha, target);
        } else {
            backend.convWeightGradient(factors.x, factors.dy, factors.geometry, target);
        }
        return row;
    }
}
