package org.sapwood.autograd;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/** Mean squared error of each sample, the loss of a denoising model. */
public final class MeanSquaredErrorOp extends Operation {
    private final Variable prediction;
    private final Variable target;
    private final float gradientScale;
    private @Nullable Tensor gradient;

    private MeanSquaredErrorOp(Variable prediction, Variable target, float gradientScale, Variable loss) {
        super(List.of(prediction, target), loss);
        this.prediction = prediction;
        this.target = target;
        this.gradientScale = gradientScale;
    }

    /**
     * Records loss[b] = Σ(ŷ − y)²/n over the n values of a sample. The backward pass starts here, with
     * ∂(gradientScale·Σ_b loss[b])/∂ŷ.
     *
     * @param prediction [B, …]
     * @param target same shape, without gradient
     * @param gradientScale 1 for the per-sample loss itself, 1/K for one of K draws
     * @return [B]
     */
    public static Variable meanSquaredError(Tape tape, Variable prediction, Variable target, float gradientScale) {
        Shapes.require(
                prediction.shape().equals(target.shape()) && !target.requiresGradient(),
                "meanSquaredError",
                prediction,
                target);
        Variable loss = tape.output(Shape.of(prediction.dim(0)), prediction.requiresGradient());
        return tape.record(new MeanSquaredErrorOp(prediction, target, gradientScale, loss));
    }

    @Override
    List<Variable> saved() {
        return List.of();
    }

    @Override
    void allocate(Arena arena) {
        gradient = arena.allocate(prediction.shape());
    }

    private Tensor gradient() {
        return Objects.requireNonNull(gradient, "allocated when the tape is sealed");
    }

    @Override
    void forward(Backend backend) {
        backend.meanSquaredError(prediction.value(), target.value(), gradientScale, output().value(), gradient());
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        backend.scale(gradient(), 1f, prediction.gradient(), accumulates(0));
    }
}
