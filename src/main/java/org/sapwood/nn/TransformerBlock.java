package org.sapwood.nn;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.autograd.AddOp;
import org.sapwood.autograd.GegluOp;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/**
 * Diffusers' {@code BasicTransformerBlock}: self-attention, attention to the class tokens and a feed-forward network
 * with GEGLU (Shazeer 2020), each behind a layer normalisation and added to what came in.
 */
final class TransformerBlock implements Module {
    /** Channels inside the feed-forward network per channel outside. */
    private static final int EXPANSION = 4;

    private final LayerNorm norm1;
    private final AttentionProjections attention1;
    private final LayerNorm norm2;
    private final AttentionProjections attention2;
    private final LayerNorm norm3;
    private final Linear expand;
    private final Linear contract;
    private final boolean onlyCross;

    /**
     * @param channels of the tokens, C
     * @param contextChannels of the class tokens, D
     * @param onlyCross whether the first attention looks at the class tokens as the second does
     */
    TransformerBlock(ParameterSet set, String name, int channels, int contextChannels, int heads, boolean onlyCross) {
        this.onlyCross = onlyCross;
        norm1 = new LayerNorm(set, name + ".norm1", channels);
        int firstContext = onlyCross ? contextChannels : channels;
        attention1 = new AttentionProjections(set, name + ".attn1", channels, firstContext, heads, false);
        norm2 = new LayerNorm(set, name + ".norm2", channels);
        attention2 = new AttentionProjections(set, name + ".attn2", channels, contextChannels, heads, false);
        norm3 = new LayerNorm(set, name + ".norm3", channels);
        expand = new Linear(set, name + ".ff.net.0.proj", channels, 2 * EXPANSION * channels);
        contract = new Linear(set, name + ".ff.net.2", EXPANSION * channels, channels);
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        List.of(norm1, attention1, norm2, attention2, norm3, expand, contract).forEach(m -> m.initialize(rng));
    }

    List<Adaptable> matrices() {
        List<Adaptable> matrices = new ArrayList<>(attention1.matrices());
        matrices.addAll(attention2.matrices());
        matrices.add(expand);
        matrices.add(contract);
        return matrices;
    }

    /**
     * @param x [B, T, C]
     * @param context class tokens [B, S, D]
     * @return [B, T, C]
     */
    Variable forward(Tape tape, Variable x, Variable context) {
        Variable h = norm1.forward(tape, x);
        Variable y = AddOp.add(tape, attention1.forward(tape, h, onlyCross ? context : h), x);
        y = AddOp.add(tape, attention2.forward(tape, norm2.forward(tape, y), context), y);
        Variable expanded = GegluOp.geglu(tape, expand.forward(tape, norm3.forward(tape, y)));
        return AddOp.add(tape, contract.forward(tape, expanded), y);
    }
}
