package org.sapwood.autograd;

import java.util.List;
import org.sapwood.tensor.Backend;

/** y[b, t, c] = x[b, t, c] + v[b, c]: one vector for all tokens of a sample, as the time embedding is added. */
public final class AddPerSampleOp extends Operation {
    private final Variable x;
    private final Variable v;

    private AddPerSampleOp(Variable x, Variable v, Variable y) {
        super(List.of(x, v), y);
        this.x = x;
        this.v = v;
    }

    /**
     * Records the sum.
     *
     * @param x [B, T, C]
     * @param v [B, 1, C]
     * @return [B, T, C]
     */
    public static Variable addPerSample(Tape tape, Variable x, Variable v) {
        Shapes.require(x.dim(0) == v.dim(0) && v.shape().size() == x.dim(0) * x.dim(-1), "addPerSample", x, v);
        Variable y = tape.output(x.shape(), x.requiresGradient() || v.requiresGradient());
        return tape.record(new AddPerSampleOp(x, v, y));
    }

    @Override
    List<Variable> saved() {
        return List.of();
    }

    @Override
    void forward(Backend backend) {
        backend.addPerSample(x.value(), v.value(), output().value());
    }

    @Override
    int unchanged() {
        return 0;
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        if (x.requiresGradient() && !shares(0)) {
            backend.scale(output().gradient(), 1f, x.gradient(), accumulates(0));
        }
        if (v.requiresGradient()) {
            backend.sumTokens(output().gradient(), 1f, v.gradient(), accumulates(1));
        }
    }
}
