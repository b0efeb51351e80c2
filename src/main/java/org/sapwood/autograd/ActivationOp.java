package org.sapwood.autograd;

import java.util.List;
import org.sapwood.tensor.Backend;

/** A pointwise non-linearity. */
public final class ActivationOp extends Operation {
    private enum Kind {
        SILU,
        RELU
    }

    private final Kind kind;
    private final Variable x;

    private ActivationOp(Kind kind, Variable x, Variable y) {
        super(List.of(x), y);
        this.kind = kind;
        this.x = x;
    }

    /** Records y = x·sigmoid(x), any shape. */
    public static Variable silu(Tape tape, Variable x) {
        return record(tape, Kind.SILU, x);
    }

    /** Records y = max(x, 0), any shape. */
    public static Variable relu(Tape tape, Variable x) {
        return record(tape, Kind.RELU, x);
    }

    private static Variable record(Tape tape, Kind kind, Variable x) {
        return tape.record(new ActivationOp(kind, x, tape.output(x.shape(), x.requiresGradient())));
    }

    @Override
    List<Variable> saved() {
        return List.of(x);
    }

    @Override
    void forward(Backend backend) {
        switch (kind) {
            case SILU -> backend.silu(x.value(), output().value());
            case RELU -> backend.relu(x.value(), output().value());
        }
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        switch (kind) {
            case SILU -> backend.siluBackward(x.value(), output().gradient(), x.gradient(), accumulates(0));
            case RELU -> backend.reluBackward(x.value(), output().gradient(), x.gradient(), accumulates(0));
        }
    }
}
