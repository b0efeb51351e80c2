package org.sapwood.autograd;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How the gradients of single examples are obtained, parameter by parameter, from sizes alone: neither threads nor
 * micro-batches nor data enter, so that no bit of a private sum depends on them.
 *
 * <p>A gradient that is kept is the cheapest, but a row of P floats per example is the largest thing in memory. While the
 * rows of an example exceed their allowance, the matrix that saves most bytes per additional FLOP is made anew instead:
 * only its output gradient is kept, its norm is found from Gram matrices (ghost; Goodfellow 2015, Li et al. 2022) or by
 * computing the gradient and dropping it (instantiate), whichever takes fewer FLOPs, and once the example's factor is
 * known the gradient is computed again and summed. This is the book-keeping of Bu et al. (2022), without their one product
 * over all examples, whose sum would not be exact.
 */
public final class GradientPlan {
    /**
     * Bytes of rows and output gradients that one example may take. Models of up to 6.2 million weights fit and are kept
     * whole.
     */
    public static final long ROW_BYTES = 24L << 20;

    /** How a gradient is obtained. */
    public enum Choice {
        /** Computed once and kept. */
        MATERIALISE,
        /** Norm from Gram matrices; the gradient when the factor is known. */
        GHOST,
        /** Norm from the gradient, which is dropped and computed again when the factor is known. */
        INSTANTIATE
    }

    /**
     * What was chosen for one parameter.
     *
     * @param parameter the parameter
     * @param cost of a weight matrix; null for vectors and tables, which are always kept
     * @param choice how its gradient is obtained
     * @param reason in a few words
     */
    public record Layer(Parameter parameter, @Nullable LayerCost cost, Choice choice, String reason) {
        /** Bytes that an example takes for it until the sum: a row, or an output gradient. */
        public long bytes() {
            return cost == null || choice == Choice.MATERIALISE
                    ? (long) Float.BYTES * parameter.size()
                    : cost.keptBytes();
        }

        /** FLOPs by example beyond those of a gradient that is kept. */
        public double extraFlops() {
            if (cost == null) {
                return 0;
            }
            return switch (choice) {
                case MATERIALISE -> 0;
                case GHOST -> cost.ghost() - cost.materialise();
                case INSTANTIATE -> cost.instantiate() - cost.materialise();
            };
        }
    }

    private final List<Layer> layers;
    private final int draws;

    private GradientPlan(List<Layer> layers, int draws) {
        this.layers = List.copyOf(layers);
        this.draws = draws;
    }

    /**
     * A plan that keeps everything.
     *
     * @param uses of the tape, as in {@link #of}; without them no costs are known
     */
    public static GradientPlan keepAll(ParameterVector parameters, List<WeightUse> uses, int draws, String reason) {
        @Nullable LayerCost[] costs = costs(parameters, uses, draws);
        List<Layer> layers = new ArrayList<>();
        for (int i = 0; i < costs.length; i++) {
            layers.add(new Layer(parameters.parameters().get(i), costs[i], Choice.MATERIALISE, reason));
        }
        return new GradientPlan(layers, draws);
    }

    /**
     * The plan for a tape.
     *
     * @param uses of the tape; a parameter without one, or with several, is kept
     * @param draws samples that an example is on the tape, ≥ 1
     * @param rowBytes bytes that an example may take
     */
    public static GradientPlan of(ParameterVector parameters, List<WeightUse> uses, int draws, long rowBytes) {
        @Nullable LayerCost[] costs = costs(parameters, uses, draws);
        int count = costs.length;
        Choice[] choices = new Choice[count];
        Arrays.fill(choices, Choice.MATERIALISE);
        long bytes = (long) Float.BYTES * parameters.size();
        for (int i : byBytesPerFlop(costs)) {
            LayerCost cost = costs[i];
            if (bytes <= rowBytes || cost == null) {
                break;
            }
            choices[i] = cost.ghost() < cost.instantiate() ? Choice.GHOST : Choice.INSTANTIATE;
            bytes -= cost.rowBytes() - cost.keptBytes();
        }
        List<Layer> layers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Parameter parameter = parameters.parameters().get(i);
            layers.add(new Layer(parameter, costs[i], choices[i], reason(costs[i], choices[i])));
        }
        return new GradientPlan(layers, draws);
    }

    /** The same plan with another choice for one weight matrix. */
    GradientPlan with(int position, Choice choice) {
        Layer layer = layers.get(position);
        if (layer.cost() == null) {
            throw new IllegalArgumentException(layer.parameter().name() + " is not a matrix used once");
        }
        List<Layer> changed = new ArrayList<>(layers);
        changed.set(position, new Layer(layer.parameter(), layer.cost(), choice, "asked for"));
        return new GradientPlan(changed, draws);
    }

    private static @Nullable LayerCost[] costs(ParameterVector parameters, List<WeightUse> uses, int draws) {
        Map<Parameter, Integer> times = new HashMap<>();
        @Nullable LayerCost[] costs = new LayerCost[parameters.parameters().size()];
        for (WeightUse use : uses) {
            if (use.trained()) {
                boolean once = times.merge(use.weight(), 1, Integer::sum) == 1;
                int tokens = Math.multiplyExact(use.tokens(), draws);
                costs[parameters.position(use.weight())] =
                        once ? new LayerCost(tokens, use.inputs(), use.outputs()) : null;
            }
        }
        return costs;
    }

    private record Candidate(int position, double bytesPerFlop) {}

    /** Positions of those that save memory, the most bytes per additional FLOP first. */
    private static List<Integer> byBytesPerFlop(@Nullable LayerCost[] costs) {
        List<Candidate> candidates = new ArrayList<>();
        for (int i = 0; i < costs.length; i++) {
            LayerCost cost = costs[i];
            if (cost != null && cost.keptBytes() < cost.rowBytes()) {
                double extra = Math.min(cost.ghost(), cost.instantiate()) - cost.materialise();
                candidates.add(new Candidate(i, (cost.rowBytes() - cost.keptBytes()) / extra));
            }
        }
        // Equal ones stay in the order of their positions.
        candidates.sort(Comparator.comparingDouble(Candidate::bytesPerFlop).reversed());
        return candidates.stream().map(Candidate::position).toList();
    }

    private static String reason(@Nullable LayerCost cost, Choice choice) {
        if (cost == null) {
            return "no matrix that is used once";
        }
        return switch (choice) {
            case MATERIALISE ->
                cost.keptBytes() < cost.rowBytes()
                        ? "fits the allowance for rows"
                        : "its output gradient would take as much memory";
            case GHOST -> "saves memory; its norm takes fewer FLOPs from Gram matrices";
            case INSTANTIATE -> "saves memory; its norm takes fewer FLOPs from the gradient";
        };
    }

    /** What was chosen, in the order of the parameter vector. */
    public List<Layer> layers() {
        return layers;
    }

    /** Samples that an example is on the tape. */
    public int draws() {
        return draws;
    }

    /** Whether every gradient is kept, so that a row holds all coordinates. */
    public boolean keepsAll() {
        return layers.stream().allMatch(layer -> layer.choice() == Choice.MATERIALISE);
    }

    /** Bytes that an example takes: rows and output gradients. */
    public long bytesPerExample() {
        return layers.stream().mapToLong(Layer::bytes).sum();
    }

    /** FLOPs by example beyond those of keeping everything. */
    public double extraFlops() {
        return layers.stream().mapToDouble(Layer::extraFlops).sum();
    }
}
