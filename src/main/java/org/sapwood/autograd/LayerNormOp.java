package org.sapwood.autograd;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Tensor;

/**
 * Layer normalisation (Ba, Kiros and Hinton 2016) of every token, with scale and shift. It is not a group normalisation
 * of tokens as if they were samples: the parameters' gradients are sums over the tokens of an example.
 */
public final class LayerNormOp extends Operation {
    private final Variable x;
    private final Parameter gamma;
    private final Parameter beta;
    private final float epsilon;
    private final boolean trainsGamma;
    private final boolean trainsBeta;
    private @Nullable Tensor statistics;

    private LayerNormOp(Tape tape, Variable x, Parameter gamma, Parameter beta, float epsilon, Variable y) {
        super(List.of(x), y);
        this.x = x;
        this.gamma = gamma;
        this.beta = beta;
        this.epsilon = epsilon;
        this.trainsGamma = tape.trains(gamma);
        this.trainsBeta = tape.trains(beta);
    }

    /**
     * Records layer normalisation of {@code x}.
     *
     * @param x [B, T, C]
     * @param gamma scale [C]
     * @param beta shift [C]
     * @param epsilon added to the variance, > 0
     * @return [B, T, C]
     */
    public static Variable layerNorm(Tape tape, Variable x, Parameter gamma, Parameter beta, float epsilon) {
        Shapes.require(x.shape().rank() == 3 && x.dim(2) == gamma.size(), "layerNorm scale", x, gamma);
        Shapes.require(beta.size() == gamma.size(), "layerNorm shift", x, beta);
        boolean differentiable = x.requiresGradient() || tape.trains(gamma) || tape.trains(beta);
        Variable y = tape.output(x.shape(), differentiable);
        return tape.record(new LayerNormOp(tape, x, gamma, beta, epsilon, y));
    }

    @Override
    List<Variable> saved() {
        return x.requiresGradient() || trainsGamma ? List.of(x) : List.of();
    }

    @Override
    void allocate(Arena arena) {
        statistics = arena.allocate(x.dim(0), x.dim(1), 2);
    }

    private Tensor statistics() {
        return Objects.requireNonNull(statistics, "allocated when the tape is sealed");
    }

    @Override
    void forward(Backend backend) {
        backend.layerNorm(x.value(), gamma.value(), beta.value(), epsilon, statistics(), output().value());
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        Tensor dy = output().gradient();
        if (trainsGamma) {
            sink.layerNormScale(gamma, x.value(), statistics(), dy);
        }
        if (trainsBeta) {
            sink.bias(beta, dy);
        }
        if (x.requiresGradient()) {
            backend.layerNormBackwardInput(x.value(), gamma.value(), statistics(), dy, x.gradient(), accumulates(0));
        }
    }
}
