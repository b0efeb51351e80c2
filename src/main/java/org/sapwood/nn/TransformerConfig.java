package org.sapwood.nn;

import java.util.List;

/**
 * What a {@link UNet} of diffusers' class {@code UNet2DConditionModel} has beyond one of {@code UNet2DModel}:
 * transformers in place of the attention blocks, which look at tokens that stand for the class.
 *
 * <p>Diffusers' model is given such tokens from outside, by a text encoder. Here a table of the model's own holds them:
 * {@code class_tokens.weight} [classes, tokens · tokenChannels], whose last row stands for no class.
 *
 * @param tokens tokens per class, configuration key {@code sapwood_class_tokens}
 * @param tokenChannels channels of each, {@code cross_attention_dim}
 * @param heads attention heads of each level, outermost first; written {@code attention_head_dim}, a name that
 *     diffusers keeps for this number
 * @param layers transformer blocks of each attention of each level, {@code transformer_layers_per_block}
 * @param onlyCrossAttention whether the first attention of a block looks at the class tokens too instead of at the
 *     pixels, by level; spares a cost that grows with the square of the pixels. Never in the middle, as in diffusers
 * @param linearProjection {@code use_linear_projection}: linear layers around the blocks instead of 1×1 convolutions,
 *     the same arithmetic under other shapes on disk
 * @param classInTime whether there is {@code class_embedding.weight} as well, added to the time embedding;
 *     {@code num_class_embeds}
 */
public record TransformerConfig(
        int tokens,
        int tokenChannels,
        List<Integer> heads,
        List<Integer> layers,
        List<Boolean> onlyCrossAttention,
        boolean linearProjection,
        boolean classInTime) {

    public TransformerConfig {
        heads = List.copyOf(heads);
        layers = List.copyOf(layers);
        onlyCrossAttention = List.copyOf(onlyCrossAttention);
        UNetConfig.require(tokens >= 1, "sapwood_class_tokens must be >= 1, got " + tokens);
        UNetConfig.require(tokenChannels >= 1, "cross_attention_dim must be >= 1, got " + tokenChannels);
        for (int count : heads) {
            UNetConfig.require(count >= 1, "attention_head_dim (heads) must be >= 1, got " + count);
        }
        for (int count : layers) {
            UNetConfig.require(count >= 1, "transformer_layers_per_block must be >= 1, got " + count);
        }
    }

    /** Refuses lists that do not have one entry for each of {@code levels} levels. */
    void requireLevels(int levels) {
        requireSize("attention_head_dim", heads, levels);
        requireSize("transformer_layers_per_block", layers, levels);
        requireSize("only_cross_attention", onlyCrossAttention, levels);
    }

    private static void requireSize(String name, List<?> values, int levels) {
        UNetConfig.require(
                values.size() == levels,
                name + " must have one entry per level (" + levels + "), got " + values.size());
    }

    /** Refuses a level whose heads do not divide its channels. */
    void requireHeads(int level, int channels) {
        UNetConfig.require(
                channels % heads.get(level) == 0,
                "attention_head_dim, in a UNet2DConditionModel the number of heads (" + heads.get(level)
                        + "), must divide " + channels + " channels");
    }
}
