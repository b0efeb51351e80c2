package org.sapwood.nn;

import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.autograd.DiskLayout;
import org.sapwood.autograd.LayerNormOp;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/** Layer normalisation of every token (Ba, Kiros and Hinton 2016) with PyTorch's default ε, 1e-5. */
final class LayerNorm implements Module {
    private static final float EPSILON = 1e-5f;

    private final Parameter gamma;
    private final Parameter beta;

    /** A layer whose parameters are {@code name.weight} and {@code name.bias}. */
    LayerNorm(ParameterSet set, String name, int channels) {
        gamma = set.add(name + ".weight", DiskLayout.SAME, channels);
        beta = set.add(name + ".bias", DiskLayout.SAME, channels);
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        Initialization.constant(gamma, 1f);
        Initialization.constant(beta, 0f);
    }

    /** Normalised x, same shape. */
    Variable forward(Tape tape, Variable x) {
        return LayerNormOp.layerNorm(tape, x, gamma, beta, EPSILON);
    }
}
