package org.sapwood.autograd;

import java.util.List;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Shape;

/** Lays the tokens of a sample end to end: [B, T, C] becomes [B, 1, T·C]. */
public final class FlattenOp extends Operation {
    private final Variable x;

    private FlattenOp(Variable x, Variable y) {
        super(List.of(x), y);
        this.x = x;
    }

    /**
     * Records the flattening, which is a copy.
     *
     * @param x [B, T, C]
     * @return [B, 1, T·C]
     */
    public static Variable flatten(Tape tape, Variable x) {
        Variable y = tape.output(Shape.of(x.dim(0), 1, x.dim(1) * x.dim(2)), x.requiresGradient());
        return tape.record(new FlattenOp(x, y));
    }

    @Override
    List<Variable> saved() {
        return List.of();
    }

    @Override
    void forward(Backend backend) {
        backend.scale(x.value(), 1f, output().value(), false);
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        backend.scale(output().gradient(), 1f, x.gradient(), accumulates(0));
    }
}
