package org.sapwood.autograd;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Tensor;

/** Group normalisation with scale and shift, optionally followed by SiLU in the same pass. */
public final class GroupNormOp extends Operation {
    private final Variable x;
    private final Parameter gamma;
    private final Parameter beta;
    private final int groups;
    private final float epsilon;
    private final boolean silu;
    private final boolean trainsGamma;
    private final boolean trainsBeta;
    private @Nullable Tensor statistics;

    private GroupNormOp(
            Tape tape,
            Variable x,
            Parameter gamma,
            Parameter beta,
            int groups,
            float epsilon,
            boolean silu,
            Variable y) {
        super(List.of(x), y);
        this.x = x;
        this.gamma = gamma;
        this.beta = beta;
        this.groups = groups;
        this.epsilon = epsilon;
        this.silu = silu;
        this.trainsGamma = tape.trains(gamma);
        this.trainsBeta = tape.trains(beta);
    }

    /**
     * Records group normalisation of {@code x}.
     *
     * @param x [B, T, C]
     * @param gamma scale [C]
     * @param beta shift [C]
     * @param groups must divide C
     * @param epsilon added to the variance, > 0
     * @param silu whether SiLU follows
     * @return [B, T, C]
     */
    public static Variable groupNorm(
            Tape tape, Variable x, Parameter gamma, Parameter beta, int groups, float epsilon, boolean silu) {
        Shapes.require(x.shape().rank() == 3 && x.dim(2) == gamma.size(), "groupNorm scale", x, gamma);
        Shapes.require(beta.size() == gamma.size(), "groupNorm shift", x, beta);
        if (groups < 1 || x.dim(2) % groups != 0) {
            throw new IllegalArgumentException(groups + " groups do not divide " + x.dim(2) + " channels");
        }
        boolean differentiable = x.requiresGradient() || tape.trains(gamma) || tape.trains(beta);
        Variable y = tape.output(x.shape(), differentiable);
        return tape.record(new GroupNormOp(tape, x, gamma, beta, groups, epsilon, silu, y));
    }

    @Override
    List<Variable> saved() {
        return List.of(x);
    }

    @Override
    void allocate(Arena arena) {
        statistics = arena.allocate(x.dim(0), groups, 2);
    }

    private Tensor statistics() {
        return Objects.requireNonNull(statistics, "allocated when the tape is sealed");
    }

    @Override
    void forward(Backend backend) {
        backend.groupNorm(
                x.value(), gamma.value(), beta.value(), groups, epsilon, silu, statistics(), output().value());
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        Tensor dy = output().gradient();
        Tensor dx = x.requiresGradient() ? x.gradient() : null;
        if (trainsGamma || trainsBeta) {
            sink.groupNorm(
                    trainsGamma ? gamma : null,
                    trainsBeta ? beta : null,
                    x.value(),
                    gamma.value(),
                    beta.value(),
                    groups,
                    silu,
                    statistics(),
                    dy,
                    dx,
                    accumulates(0));
        } else if (dx != null) {
            backend.groupNormBackwardInput(
                    x.value(), gamma.value(), beta.value(), groups, silu, statistics(), dy, dx, accumulates(0));
        }
    }
}
