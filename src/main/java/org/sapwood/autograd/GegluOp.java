package org.sapwood.autograd;

import java.util.List;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Shape;

/**
 * Gated GELU (Shazeer 2020, "GLU Variants Improve Transformer"): the first half of the channels times the GELU of the
 * second. With a linear layer to 2F channels before it, it is diffusers' {@code GEGLU}.
 */
public final class GegluOp extends Operation {
    private final Variable x;

    private GegluOp(Variable x, Variable y) {
        super(List.of(x), y);
        this.x = x;
    }

    /**
     * Records y = h·g·Φ(g) with h the first and g the second half of the channels.
     *
     * @param x [B, T, 2F]
     * @return [B, T, F]
     */
    public static Variable geglu(Tape tape, Variable x) {
        int channels = x.dim(2);
        if (channels % 2 != 0) {
            throw new IllegalArgumentException("geglu: " + channels + " channels do not make two halves");
        }
        Variable y = tape.output(Shape.of(x.dim(0), x.dim(1), channels / 2), x.requiresGradient());
        return tape.record(new GegluOp(x, y));
    }

    @Override
    List<Variable> saved() {
        return List.of(x);
    }

    @Override
    void forward(Backend backend) {
        backend.geglu(x.value(), output().value());
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        backend.gegluBackward(x.value(), output().gradient(), x.gradient(), accumulates(0));
    }
}
