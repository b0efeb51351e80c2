package org.sapwood.autograd;

import java.util.List;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Shape;

/** Global average pooling: y[b, 0, c] is the mean of x[b, t, c] over t. */
public final class MeanTokensOp extends Operation {
    private final Variable x;

    private MeanTokensOp(Variable x, Variable y) {
        super(List.of(x), y);
        this.x = x;
    }

    /**
     * Records the mean.
     *
     * @param x [B, T, C]
     * @return [B, 1, C]
     */
    public static Variable meanTokens(Tape tape, Variable x) {
        Variable y = tape.output(Shape.of(x.dim(0), 1, x.dim(2)), x.requiresGradient());
        return tape.record(new MeanTokensOp(x, y));
    }

    private float weight() {
        return 1f / x.dim(1);
    }

    @Override
    List<Variable> saved() {
        return List.of();
    }

    @Override
    void forward(Backend backend) {
        backend.sumTokens(x.value(), weight(), output().value(), false);
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        backend.broadcastTokens(output().gradient(), weight(), x.gradient(), accumulates(0));
    }
}
