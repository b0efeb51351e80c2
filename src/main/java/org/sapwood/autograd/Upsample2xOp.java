package org.sapwood.autograd;

import java.util.List;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Shape;

/** Nearest-neighbour enlargement of an image by two. */
public final class Upsample2xOp extends Operation {
    private final Variable x;
    private final int height;
    private final int width;

    private Upsample2xOp(Variable x, int height, int width, Variable y) {
        super(List.of(x), y);
        this.x = x;
        this.height = height;
        this.width = width;
    }

    /**
     * Records the enlargement.
     *
     * @param x [B, height·width, C]
     * @return [B, 2·height·2·width, C]
     */
    public static Variable upsample2x(Tape tape, Variable x, int height, int width) {
        if (x.dim(1) != height * width) {
            throw new IllegalArgumentException(x.shape() + " is not an image of " + height + "x" + width);
        }
        Variable y = tape.output(Shape.of(x.dim(0), 4 * x.dim(1), x.dim(2)), x.requiresGradient());
        return tape.record(new Upsample2xOp(x, height, width, y));
    }

    @Override
    List<Variable> saved() {
        return List.of();
    }

    @Override
    void forward(Backend backend) {
        backend.upsample2x(x.value(), height, width, output().value());
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        backend.upsample2xBackward(output().gradient(), height, width, x.gradient(), accumulates(0));
    }
}
