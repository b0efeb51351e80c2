package org.sapwood.autograd;

import java.util.List;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Shape;

/** y = (a | b) along channels, as the skip connections of a UNet are joined. */
public final class ConcatOp extends Operation {
    private final Variable a;
    private final Variable b;

    private ConcatOp(Variable a, Variable b, Variable y) {
        super(List.of(a, b), y);
        this.a = a;
        this.b = b;
    }

    /**
     * Records the concatenation of two distinct variables.
     *
     * @param a [B, T, Ca]
     * @param b [B, T, Cb]
     * @return [B, T, Ca + Cb]
     */
    public static Variable concat(Tape tape, Variable a, Variable b) {
        Shapes.require(a.dim(0) == b.dim(0) && a.dim(1) == b.dim(1) && a != b, "concat", a, b);
        Variable y = tape.output(
                Shape.of(a.dim(0), a.dim(1), a.dim(2) + b.dim(2)), a.requiresGradient() || b.requiresGradient());
        return tape.record(new ConcatOp(a, b, y));
    }

    @Override
    List<Variable> saved() {
        return List.of();
    }

    @Override
    void forward(Backend backend) {
        backend.concatChannels(a.value(), b.value(), output().value());
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        if (a.requiresGradient()) {
            backend.sliceChannels(output().gradient(), 0, a.gradient(), accumulates(0));
        }
        if (b.requiresGradient()) {
            backend.sliceChannels(output().gradient(), a.dim(2), b.gradient(), accumulates(1));
        }
    }
}
