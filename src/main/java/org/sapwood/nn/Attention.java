package org.sapwood.nn;

import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.AddOp;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/** Residual self-attention over the pixels of a feature map, with diffusers' names. */
final class Attention implements SpatialAttention {
    private final GroupNorm norm;
    private final AttentionProjections projections;

    Attention(ParameterSet set, String name, int channels, int headDim, int groups, float epsilon) {
        norm = new GroupNorm(set, name + ".group_norm", channels, groups, epsilon);
        projections = new AttentionProjections(set, name, channels, channels, channels / headDim, true);
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        norm.initialize(rng);
        projections.initialize(rng);
    }

    @Override
    public List<Adaptable> matrices() {
        return projections.matrices();
    }

    @Override
    public FeatureMap forward(Tape tape, FeatureMap x, @Nullable Variable context) {
        Variable h = norm.forward(tape, x.variable());
        return x.with(AddOp.add(tape, projections.forward(tape, h, h), x.variable()));
    }
}
