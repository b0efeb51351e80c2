package org.sapwood.nn;

import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.autograd.AttentionOp;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/**
 * Multi-head attention between two sequences with its four projections, diffusers' {@code Attention} without
 * normalisation: {@code to_out.0(attention(to_q(x), to_k(context), to_v(context)))}.
 */
final class AttentionProjections implements Module {
    private static final List<String> NAMES = List.of(".to_q.", ".to_k.", ".to_v.", ".to_out.0.");

    private final Linear toQ;
    private final Linear toK;
    private final Linear toV;
    private final Linear toOut;
    private final int heads;

    /**
     * @param channels of x and of the result, C
     * @param contextChannels of the other sequence, D
     * @param heads divides C
     * @param biased whether the projections of queries, keys and values have a bias; that of the result always has
     */
    AttentionProjections(ParameterSet set, String name, int channels, int contextChannels, int heads, boolean biased) {
        toQ = new Linear(set, name + ".to_q", channels, channels, biased);
        toK = new Linear(set, name + ".to_k", contextChannels, channels, biased);
        toV = new Linear(set, name + ".to_v", contextChannels, channels, biased);
        toOut = new Linear(set, name + ".to_out.0", channels, channels);
        this.heads = heads;
    }

    /** Whether a parameter's name is that of a projection's weight, bias or adapter. */
    static boolean holds(String parameterName) {
        return NAMES.stream().anyMatch(parameterName::contains);
    }

    List<Adaptable> matrices() {
        return List.of(toQ, toK, toV, toOut);
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        List.of(toQ, toK, toV, toOut).forEach(m -> m.initialize(rng));
    }

    /**
     * @param x asks, [B, T, C]
     * @param context is asked, [B, S, D]; x itself for self-attention
     * @return [B, T, C]
     */
    Variable forward(Tape tape, Variable x, Variable context) {
        Variable mixed = AttentionOp.attention(
                tape, toQ.forward(tape, x), toK.forward(tape, context), toV.forward(tape, context), heads);
        return toOut.forward(tape, mixed);
    }
}
