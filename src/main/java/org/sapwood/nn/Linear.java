package org.sapwood.nn;

import org.apache.commons.rng.UniformRandomProvider;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.DiskLayout;
import org.sapwood.autograd.LinearOp;
import org.sapwood.autograd.LoraFactors;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/** A fully connected layer on every token, y = x·Wᵀ + bias, W [out, in]. */
public final class Linear implements Module, Adaptable {
    private final Parameter weight;
    private final Parameter bias;
    private @Nullable LoraFactors lora;

    /** A layer whose parameters are {@code name.weight} and {@code name.bias}. */
    public Linear(ParameterSet set, String name, int in, int out) {
        weight = set.add(name + ".weight", DiskLayout.SAME, out, in);
        bias = set.add(name + ".bias", DiskLayout.SAME, out);
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        int fanIn = weight.value().dim(1);
        Initialization.uniformFanIn(weight, fanIn, rng);
        Initialization.uniformFanIn(bias, fanIn, rng);
    }

    /** x [B, T, in] to [B, T, out]. */
    public Variable forward(Tape tape, Variable x) {
        return LinearOp.linear(tape, x, weight, bias, lora);
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
