package org.sapwood.autograd;

import java.util.List;
import org.sapwood.tensor.Backend;

/** y = a + s·b. */
public final class AddOp extends Operation {
    private final Variable a;
    private final Variable b;
    private final float scaleB;

    private AddOp(Variable a, Variable b, float scaleB, Variable y) {
        super(List.of(a, b), y);
        this.a = a;
        this.b = b;
        this.scaleB = scaleB;
    }

    /** Records a + b for two distinct variables of one shape. */
    public static Variable add(Tape tape, Variable a, Variable b) {
        return addScaled(tape, a, b, 1f);
    }

    /** Records a + s·b for two distinct variables of one shape. */
    public static Variable addScaled(Tape tape, Variable a, Variable b, float scaleB) {
        Shapes.require(a.shape().equals(b.shape()) && a != b, "add", a, b);
        Variable y = tape.output(a.shape(), a.requiresGradient() || b.requiresGradient());
        return tape.record(new AddOp(a, b, scaleB, y));
    }

    @Override
    List<Variable> saved() {
        return List.of();
    }

    @Override
    void forward(Backend backend) {
        if (scaleB == 1f) {
            backend.add(a.value(), b.value(), output().value());
        } else {
            backend.scale(b.value(), scaleB, output().value(), false);
            backend.add(output().value(), a.value(), output().value());
        }
    }

    @Override
    int unchanged() {
        return 0;
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        if (a.requiresGradient() && !shares(0)) {
            backend.scale(output().gradient(), 1f, a.gradient(), accumulates(0));
        }
        if (b.requiresGradient()) {
            backend.scale(output().gradient(), scaleB, b.gradient(), accumulates(1));
        }
    }
}
