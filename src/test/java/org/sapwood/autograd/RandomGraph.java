package org.sapwood.autograd;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;

/**
 * A random computation over variables [2, 6, 4], in which values are read again at random distances: what the tape's
 * reuse of memory has to survive.
 */
final class RandomGraph {
    static final int[] SHAPE = {2, 6, 4};
    static final int SIZE = 2 * 6 * 4;

    final List<Step> steps = new ArrayList<>();
    final List<Parameter> parameters = new ArrayList<>();

    /** The kinds of step. Those with inner variables (joined, pooled) hide them from the caller, as layers do. */
    enum Kind {
        SILU(1),
        RELU(1),
        TANH(1),
        LINEAR(1),
        NORM(1),
        TOKEN_NORM(1),
        RESHAPE(1),
        ADD(2),
        JOIN(2),
        GATE(2),
        POOL(2),
        ATTENTION(3);

        final int arity;

        Kind(int arity) {
            this.arity = arity;
        }
    }

    /** One step: reads {@code from}, numbered with the input as 0, and appends one variable. */
    record Step(Kind kind, List<Integer> from, List<Parameter> weights) {
        Variable record(Tape tape, List<Variable> read) {
            return switch (kind) {
                case SILU -> ActivationOp.silu(tape, read.getFirst());
                case RELU -> ActivationOp.relu(tape, read.getFirst());
                case TANH -> ActivationOp.tanh(tape, read.getFirst());
                case RESHAPE -> ReshapeOp.tokens(tape, ReshapeOp.tokens(tape, read.getFirst(), 3), SHAPE[1]);
                case LINEAR -> LinearOp.linear(tape, read.getFirst(), weights.get(0), weights.get(1), null);
                case NORM ->
                    GroupNormOp.groupNorm(tape, read.getFirst(), weights.get(0), weights.get(1), 2, 1e-5f, true);
                case TOKEN_NORM -> LayerNormOp.layerNorm(tape, read.getFirst(), weights.get(0), weights.get(1), 1e-1f);
                case GATE -> GegluOp.geglu(tape, ConcatOp.concat(tape, read.get(0), read.get(1)));
                case ADD -> AddOp.addScaled(tape, read.get(0), read.get(1), 0.5f);
                case JOIN ->
                    LinearOp.linear(
                            tape,
                            ConcatOp.concat(tape, read.get(0), read.get(1)),
                            weights.get(0),
                            weights.get(1),
                            null);
                case POOL -> AddPerSampleOp.addPerSample(tape, read.get(0), MeanTokensOp.meanTokens(tape, read.get(1)));
                case ATTENTION -> AttentionOp.attention(tape, read.get(0), read.get(1), read.get(2), 2);
            };
        }
    }

    RandomGraph(long seed, int length) {
        UniformRandomProvider rng = RandomSource.XO_SHI_RO_256_PP.create(seed);
        for (int i = 0; i < length; i++) {
            Kind kind = Kind.values()[rng.nextInt(Kind.values().length)];
            if (kind.arity > i + 1) {
                kind = Kind.LINEAR;
            }
            List<Integer> from = new ArrayList<>();
            while (from.size() < kind.arity) {
                // Mostly recent values, sometimes old ones; always distinct.
                int chosen = rng.nextBoolean() ? Math.max(0, i - rng.nextInt(4)) : rng.nextInt(i + 1);
                if (!from.contains(chosen)) {
                    from.add(chosen);
                }
            }
            steps.add(
                    switch (kind) {
                        case LINEAR -> new Step(kind, from, List.of(weight(4 * i, 4, 4), weight(4 * i + 1, 4)));
                        case JOIN -> new Step(kind, from, List.of(weight(4 * i, 4, 8), weight(4 * i + 1, 4)));
                        case NORM, TOKEN_NORM -> new Step(kind, from, List.of(weight(4 * i, 4), weight(4 * i + 1, 4)));
                        default -> new Step(kind, from, List.of());
                    });
        }
    }

    private Parameter weight(int seed, int... extents) {
        Parameter parameter = SmallNet.parameter("p" + seed, DiskLayout.SAME, seed, extents);
        for (int i = 0; i < parameter.size(); i++) {
            parameter.value().array()[i] *= 0.5f;
        }
        parameters.add(parameter);
        return parameter;
    }
}
