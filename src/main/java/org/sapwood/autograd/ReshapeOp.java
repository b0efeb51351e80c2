package org.sapwood.autograd;

import java.util.List;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Shape;

/** The values of a sample, in the same memory, cut into tokens another way. */
public final class ReshapeOp extends Operation {
    private final Variable x;

    private ReshapeOp(Variable x, Variable y) {
        super(List.of(x), y);
        this.x = x;
    }

    /**
     * Records [B, T, C] as [B, tokens, T·C / tokens]: of an embedding [B, 1, S·D], for example, S tokens of width D.
     *
     * @param x [B, T, C]
     * @param tokens must divide T·C
     * @return [B, tokens, T·C / tokens]
     */
    public static Variable tokens(Tape tape, Variable x, int tokens) {
        int size = x.shape().rowSize();
        if (tokens < 1 || size % tokens != 0) {
            throw new IllegalArgumentException(
                    "the " + size + " values of a sample of " + x.shape() + " do not make " + tokens + " tokens");
        }
        Variable y = tape.output(Shape.of(x.dim(0), tokens, size / tokens), x.requiresGradient());
        return tape.record(new ReshapeOp(x, y));
    }

    /** Records the tokens of a sample end to end: [B, T, C] as [B, 1, T·C]. */
    public static Variable flatten(Tape tape, Variable x) {
        return tokens(tape, x, 1);
    }

    @Override
    boolean isView() {
        return true;
    }

    @Override
    int unchanged() {
        return 0;
    }

    @Override
    List<Variable> saved() {
        return List.of();
    }

    @Override
    void forward(Backend backend) {
        // The values are where they are wanted.
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        if (!shares(0)) {
            backend.scale(output().gradient(), 1f, x.gradient(), accumulates(0));
        }
    }
}
