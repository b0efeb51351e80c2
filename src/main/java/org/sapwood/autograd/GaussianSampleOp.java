package org.sapwood.autograd;

import java.util.List;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Shape;

/** A draw of a diagonal Gaussian as a differentiable function of its moments (Kingma and Welling 2014). */
public final class GaussianSampleOp extends Operation {
    private final Variable moments;
    private final Variable noise;

    private GaussianSampleOp(Variable moments, Variable noise, Variable z) {
        super(List.of(moments, noise), z);
        this.moments = moments;
        this.noise = noise;
    }

    /**
     * Records z = μ + e^{v/2}·noise, with v the logarithm of the variance, held to [−30, 20].
     *
     * @param moments μ and, behind it along the channels, v, [B, T, 2L]
     * @param noise standard normal, without gradient, [B, T, L]
     * @return [B, T, L]
     */
    public static Variable gaussianSample(Tape tape, Variable moments, Variable noise) {
        Shapes.require(
                moments.shape().rank() == 3
                        && noise.shape().equals(Shape.of(moments.dim(0), moments.dim(1), moments.dim(2) / 2))
                        && moments.dim(2) % 2 == 0
                        && !noise.requiresGradient(),
                "gaussianSample",
                moments,
                noise);
        Variable z = tape.output(noise.shape(), moments.requiresGradient());
        return tape.record(new GaussianSampleOp(moments, noise, z));
    }

    @Override
    List<Variable> saved() {
        return List.of(moments, noise);
    }

    @Override
    void forward(Backend backend) {
        backend.gaussianSample(moments.value(), noise.value(), output().value());
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        backend.gaussianSampleBackward(
                moments.value(), noise.value(), output().gradient(), moments.gradient(), accumulates(0));
    }
}
