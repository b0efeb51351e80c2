package org.sapwood.autograd;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/** A 2-D convolution over NHWC images. */
public final class Conv2dOp extends Operation {
    private final Variable x;
    private final Parameter weight;
    private final @Nullable Parameter bias;
    private final ConvGeometry geometry;
    private final boolean trainsWeight;
    private final boolean trainsBias;

    private Conv2dOp(
            Tape tape, Variable x, Parameter weight, @Nullable Parameter bias, ConvGeometry geometry, Variable y) {
        super(List.of(x), y);
        this.x = x;
        this.weight = weight;
        this.bias = bias;
        this.geometry = geometry;
        this.trainsWeight = tape.trains(weight);
        this.trainsBias = bias != null && tape.trains(bias);
    }

    /**
     * Records y = x ∗ W + bias.
     *
     * @param x [B, H·W, in]
     * @param weight [k, k, in, out]
     * @param bias [out]
     * @return [B, H'·W', out]
     */
    public static Variable conv2d(
            Tape tape, Variable x, Parameter weight, @Nullable Parameter bias, ConvGeometry geometry) {
        Shapes.require(
                x.shape().rank() == 3 && x.dim(1) == geometry.inTokens() && x.dim(2) == geometry.inChannels(),
                "conv2d " + geometry,
                x,
                weight);
        Shapes.require(weight.size() == geometry.weightSize(), "conv2d " + geometry, x, weight);
        boolean differentiable = x.requiresGradient() || tape.trains(weight) || (bias != null && tape.trains(bias));
        Variable y = tape.output(Shape.of(x.dim(0), geometry.outTokens(), geometry.outChannels()), differentiable);
        return tape.record(new Conv2dOp(tape, x, weight, bias, geometry, y));
    }

    @Override
    List<Variable> saved() {
        return trainsWeight ? List.of(x) : List.of();
    }

    @Override
    List<WeightUse> weightUses() {
        int window = geometry.kernel() * geometry.kernel() * geometry.inChannels();
        return List.of(new WeightUse(weight, geometry.outTokens(), window, geometry.outChannels(), trainsWeight));
    }

    @Override
    void forward(Backend backend) {
        backend.conv2d(x.value(), weight.value(), bias == null ? null : bias.value(), geometry, output().value());
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        Tensor dy = output().gradient();
        Tensor dx = x.requiresGradient() ? x.gradient() : null;
        if (trainsWeight) {
            sink.convolution(weight, x.value(), dy, geometry, dx, accumulates(0));
        } else if (dx != null) {
            backend.conv2dBackwardInput(dy, weight.value(), geometry, dx, accumulates(0));
        }
        if (trainsBias && bias != null) {
            sink.bias(bias, dy);
        }
    }
}
