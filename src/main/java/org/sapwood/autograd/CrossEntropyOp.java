package org.sapwood.autograd;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/** Softmax cross entropy of each sample, the loss of a classifier. */
public final class CrossEntropyOp extends Operation {
    private final Variable logits;
    private final Indices labels;
    private final float gradientScale;
    private @Nullable Tensor gradient;

    private CrossEntropyOp(Variable logits, Indices labels, float gradientScale, Variable loss) {
        super(List.of(logits), loss);
        this.logits = logits;
        this.labels = labels;
        this.gradientScale = gradientScale;
    }

    /**
     * Records loss[b] = logΣ_v exp(logits[b, v]) − logits[b, labels[b]]. The backward pass starts here, with
     * ∂(gradientScale·Σ_b loss[b])/∂logits.
     *
     * @param logits [B, 1, V]
     * @param labels one per sample, each in [0, V)
     * @return [B]
     */
    public static Variable crossEntropy(Tape tape, Variable logits, Indices labels, float gradientScale) {
        if (logits.dim(0) != labels.length() || logits.shape().size() != logits.dim(0) * logits.dim(-1)) {
            throw new IllegalArgumentException(
                    "crossEntropy of logits " + logits.shape() + " and " + labels.length() + " labels");
        }
        Variable loss = tape.output(Shape.of(logits.dim(0)), logits.requiresGradient());
        return tape.record(new CrossEntropyOp(logits, labels, gradientScale, loss));
    }

    @Override
    List<Variable> saved() {
        return List.of();
    }

    @Override
    void allocate(Arena arena) {
        gradient = arena.allocate(logits.shape());
    }

    private Tensor gradient() {
        return Objects.requireNonNull(gradient, "allocated when the tape is sealed");
    }

    @Override
    void forward(Backend backend) {
        backend.crossEntropy(logits.value(), labels, gradientScale, output().value(), gradient());
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        backend.scale(gradient(), 1f, logits.gradient(), accumulates(0));
    }
}
