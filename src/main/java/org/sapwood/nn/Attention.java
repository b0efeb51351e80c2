package org.sapwood.nn;

import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.autograd.AddOp;
import org.sapwood.autograd.AttentionOp;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/** Residual self-attention over the pixels of a feature map, with diffusers' names. */
final class Attention implements Module {
    private final GroupNorm norm;
    private final Linear toQ;
    private final Linear toK;
    private final Linear toV;
    private final Linear toOut;
    private final int heads;

    Attention(ParameterSet set, String name, int channels, int headDim, int groups, float epsilon) {
        norm = new GroupNorm(set, name + ".group_norm", channels, groups, epsilon);
        toQ = new Linear(set, name + ".to_q", channels, channels);
        toK = new Linear(set, name + ".to_k", channels, channels);
        toV = new Linear(set, name + ".to_v", channels, channels);
        toOut = new Linear(set, name + ".to_out.0", channels, channels);
        heads = channels / headDim;
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        norm.initialize(rng);
        matrices().forEach(m -> m.initialize(rng));
    }

    List<Linear> matrices() {
        return List.of(toQ, toK, toV, toOut);
    }

    FeatureMap forward(Tape tape, FeatureMap x) {
        Variable h = norm.forward(tape, x.variable());
        Variable mixed =
                AttentionOp.attention(tape, toQ.forward(tape, h), toK.forward(tape, h), toV.forward(tape, h), heads);
        return x.with(AddOp.add(tape, toOut.forward(tape, mixed), x.variable()));
    }
}
