package org.sapwood.nn;

import org.apache.commons.rng.UniformRandomProvider;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.AddOp;
import org.sapwood.autograd.Conv2dOp;
import org.sapwood.autograd.DiskLayout;
import org.sapwood.autograd.LinearOp;
import org.sapwood.autograd.LoraFactors;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.tensor.ConvGeometry;

/**
 * A 2-D convolution with bias. Its low-rank adapter is that of LoCon: a convolution of the same kernel to r channels,
 * then a 1×1 convolution to the output channels.
 */
public final class Conv2d implements PixelLayer {
    private final int in;
    private final int out;
    private final int kernel;
    private final int stride;
    private final int padLow;
    private final int padHigh;
    private final Parameter weight;
    private final Parameter bias;
    private @Nullable LoraFactors lora;

    /** A stride-1 convolution that keeps the image size; {@code kernel} is odd. */
    public Conv2d(ParameterSet set, String name, int in, int out, int kernel) {
        this(set, name, in, out, kernel, 1, kernel / 2, kernel / 2);
    }

    /** A convolution whose parameters are {@code name.weight} and {@code name.bias}. */
    public Conv2d(ParameterSet set, String name, int in, int out, int kernel, int stride, int padLow, int padHigh) {
        this.in = in;
        this.out = out;
        this.kernel = kernel;
        this.stride = stride;
        this.padLow = padLow;
        this.padHigh = padHigh;
        weight = set.add(name + ".weight", DiskLayout.CONVOLUTION, kernel, kernel, in, out);
        bias = set.add(name + ".bias", DiskLayout.SAME, out);
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        int fanIn = kernel * kernel * in;
        Initialization.uniformFanIn(weight, fanIn, rng);
        Initialization.uniformFanIn(bias, fanIn, rng);
    }

    /** The feature map convolved; its size follows from kernel, stride and padding. */
    @Override
    public FeatureMap forward(Tape tape, FeatureMap x) {
        ConvGeometry geometry = geometry(x, out);
        Variable y = Conv2dOp.conv2d(tape, x.variable(), weight, bias, geometry);
        if (lora != null) {
            Variable down = Conv2dOp.conv2d(tape, x.variable(), lora.a(), null, geometry(x, lora.rank()));
            Variable up = LinearOp.linear(tape, down, lora.b(), null, null);
            y = AddOp.addScaled(tape, y, up, lora.scale());
        }
        return new FeatureMap(y, geometry.outHeight(), geometry.outWidth());
    }

    private ConvGeometry geometry(FeatureMap x, int channels) {
        return new ConvGeometry(x.height(), x.width(), in, channels, kernel, stride, padLow, padHigh);
    }

    @Override
    public Parameter weight() {
        return weight;
    }

    @Override
    public @Nullable LoraFactors lora() {
        return lora;
    }

    @Override
    public LoraFactors adapt(ParameterSet set, int rank, float scale) {
        if (lora != null) {
            throw new IllegalStateException(weight.name() + " has an adapter already");
        }
        Parameter a =
                set.add(Adaptable.factorName(weight.name(), 'A'), DiskLayout.CONVOLUTION, kernel, kernel, in, rank);
        Parameter b = set.add(Adaptable.factorName(weight.name(), 'B'), DiskLayout.POINTWISE, out, rank);
        LoraFactors factors = new LoraFactors(a, b, scale);
        lora = factors;
        return factors;
    }
}
