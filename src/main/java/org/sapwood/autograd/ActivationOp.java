package org.sapwood.autograd;

import java.util.List;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Tensor;

/** A pointwise non-linearity. */
public final class ActivationOp extends Operation {
    private static final Kind SILU = new Kind(Backend::silu, Backend::siluBackward, false);
    private static final Kind RELU = new Kind(Backend::relu, Backend::reluBackward, false);
    private static final Kind TANH = new Kind(Backend::tanh, Backend::tanhBackward, true);

    /**
     * A function and its derivative.
     *
     * @param fromOutput whether the derivative is computed from the output rather than from the input
     */
    private record Kind(Function function, Derivative derivative, boolean fromOutput) {}

    private interface Function {
        void apply(Backend backend, Tensor x, Tensor y);
    }

    private interface Derivative {
        void apply(Backend backend, Tensor kept, Tensor dy, Tensor dx, boolean accumulate);
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
        return record(tape, SILU, x);
    }

    /** Records y = max(x, 0), any shape. */
    public static Variable relu(Tape tape, Variable x) {
        return record(tape, RELU, x);
    }

    /** Records y = tanh(x), any shape. */
    public static Variable tanh(Tape tape, Variable x) {
        return record(tape, TANH, x);
    }

    /**
     * Records y = x where x > 0 and slope·x elsewhere, any shape.
     *
     * @param slope between 0 and 1, both excluded; 0.2 in most discriminators
     */
    public static Variable leakyRelu(Tape tape, Variable x, float slope) {
        if (!(slope > 0 && slope < 1)) {
            throw new IllegalArgumentException("slope must be between 0 and 1, got " + slope);
        }
        Function function = (backend, in, out) -> backend.leakyRelu(in, slope, out);
        Derivative derivative =
                (backend, in, dy, dx, accumulate) -> backend.leakyReluBackward(in, slope, dy, dx, accumulate);
        return record(tape, new Kind(function, derivative, false), x);
    }

    private static Variable record(Tape tape, Kind kind, Variable x) {
        return tape.record(new ActivationOp(kind, x, tape.output(x.shape(), x.requiresGradient())));
    }

    private Variable kept() {
        return kind.fromOutput ? output() : x;
    }

    @Override
    List<Variable> saved() {
        return List.of(kept());
    }

    @Override
    void forward(Backend backend) {
        kind.function.apply(backend, x.value(), output().value());
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        kind.derivative.apply(backend, kept().value(), output().gradient(), x.gradient(), accumulates(0));
    }
}
