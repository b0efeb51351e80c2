package org.sapwood.nn;

import org.apache.commons.rng.UniformRandomProvider;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.DiskLayout;
import org.sapwood.autograd.LinearOp;
import org.sapwood.autograd.LoraFactors;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/** A fully connected layer on every token, y = x·Wᵀ + bias or y = x·Wᵀ, W [out, in]. */
public final class Linear implements PixelLayer {
    private final Parameter weight;
    private final @Nullable Parameter bias;
    private @Nullable LoraFactors lora;

    /** A layer whose parameters are {@code name.weight} and {@code name.bias}. */
    public Linear(ParameterSet set, String name, int in, int out) {
        this(set, name, in, out, true);
    }

    /** A layer whose parameters are {@code name.weight} and, if it is {@code biased}, {@code name.bias}. */
    public Linear(ParameterSet set, String name, int in, int out, boolean biased) {
        weight = set.add(name + ".weight", DiskLayout.SAME, out, in);
        bias = biased ? set.add(name + ".bias", DiskLayout.SAME, out) : null;
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        int fanIn = weight.value().dim(1);
        Initialization.uniformFanIn(weight, fanIn, rng);
        if (bias != null) {
            Initialization.uniformFanIn(bias, fanIn, rng);
        }
    }

    /** x [B, T, in] to [B, T, out]. */
    public Variable forward(Tape tape, Variable x) {
        return LinearOp.linear(tape, x, weight, bias, lora);
    }

    /** The layer applied to every pixel. */
    @Override
    public FeatureMap forward(Tape tape, FeatureMap x) {
        return x.with(forward(tape, x.variable()));
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
        Parameter a = set.add(
                Adaptable.factorName(weight.name(), 'A'),
                DiskLayout.SAME,
                rank,
                weight.value().dim(1));
        Parameter b = set.add(
                Adaptable.factorName(weight.name(), 'B'),
                DiskLayout.SAME,
                weight.value().dim(0),
                rank);
        LoraFactors factors = new LoraFactors(a, b, scale);
        lora = factors;
        return factors;
    }
}
