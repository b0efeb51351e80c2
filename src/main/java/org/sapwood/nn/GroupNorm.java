package org.sapwood.nn;

import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.autograd.DiskLayout;
import org.sapwood.autograd.GroupNormOp;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/** Group normalisation (Wu and He 2018), optionally with SiLU behind it. */
public final class GroupNorm implements Module {
    private final int groups;
    private final float epsilon;
    private final Parameter gamma;
    private final Parameter beta;

    /** A layer whose parameters are {@code name.weight} and {@code name.bias}; {@code groups} divides the channels. */
    public GroupNorm(ParameterSet set, String name, int channels, int groups, float epsilon) {
        this.groups = groups;
        this.epsilon = epsilon;
        gamma = set.add(name + ".weight", DiskLayout.SAME, channels);
        beta = set.add(name + ".bias", DiskLayout.SAME, channels);
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        Initialization.constant(gamma, 1f);
        Initialization.constant(beta, 0f);
    }

    /** Normalised x, same shape. */
    public Variable forward(Tape tape, Variable x) {
        return GroupNormOp.groupNorm(tape, x, gamma, beta, groups, epsilon, false);
    }

    /** SiLU of normalised x, same shape, in one pass. */
    public Variable forwardSilu(Tape tape, Variable x) {
        return GroupNormOp.groupNorm(tape, x, gamma, beta, groups, epsilon, true);
    }
}
