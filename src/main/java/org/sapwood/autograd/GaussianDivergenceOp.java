package org.sapwood.autograd;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/** How far each sample's diagonal Gaussians are from N(0, I), the regulariser of a variational autoencoder. */
public final class GaussianDivergenceOp extends Operation {
    private final Variable moments;
    private final float gradientScale;
    private @Nullable Tensor gradient;

    private GaussianDivergenceOp(Variable moments, float gradientScale, Variable divergence) {
        super(List.of(moments), divergence);
        this.moments = moments;
        this.gradientScale = gradientScale;
    }

    /**
     * Records the Kullback–Leibler divergence ½·Σ(μ² + e^v − 1 − v) of each sample, with v the logarithm of the variance,
     * held to [−30, 20]. The backward pass starts here, with ∂(gradientScale·Σ_b divergence[b])/∂moments.
     *
     * @param moments μ and, behind it along the channels, v, [B, T, 2L]
     * @return [B]
     */
    public static Variable gaussianDivergence(Tape tape, Variable moments, float gradientScale) {
        if (moments.shape().rank() != 3 || moments.dim(2) % 2 != 0) {
            throw new IllegalArgumentException("gaussianDivergence of moments " + moments.shape());
        }
        Variable divergence = tape.output(Shape.of(moments.dim(0)), moments.requiresGradient());
        return tape.record(new GaussianDivergenceOp(moments, gradientScale, divergence));
    }

    @Override
    List<Variable> saved() {
        return List.of();
    }

    @Override
    void allocate(Arena arena) {
        gradient = arena.allocate(moments.shape());
    }

    private Tensor gradient() {
        return Objects.requireNonNull(gradient, "allocated when the tape is sealed");
    }

    @Override
    void forward(Backend backend) {
        backend.gaussianDivergence(moments.value(), gradientScale, output().value(), gradient());
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        backend.scale(gradient(), 1f, moments.gradient(), accumulates(0));
    }
}
