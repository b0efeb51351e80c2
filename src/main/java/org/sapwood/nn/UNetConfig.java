package org.sapwood.nn;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;

/**
 * The shape of a {@link UNet}, in the terms of diffusers' configuration of {@code UNet2DModel} or, with a
 * {@link TransformerConfig}, of {@code UNet2DConditionModel}.
 *
 * @param sampleSize edge of the square images in pixels; divisible by 2^(levels − 1)
 * @param inChannels channels of the input image
 * @param outChannels channels of the predicted noise
 * @param blockOutChannels channels of each level, outermost first
 * @param layersPerBlock resnets per level on the way down; one more on the way up
 * @param downAttention whether each level has attention on the way down, outermost first
 * @param upAttention whether each level has attention on the way up, innermost first
 * @param midAttention whether the middle has attention
 * @param attentionHeadDim channels per attention head; 0 for a single head, and where there are transformers instead
 * @param normGroups groups of every group normalisation
 * @param normEpsilon its ε
 * @param classes rows of the label embedder, 0 for an unconditional model
 * @param cosineFirst {@code flip_sin_to_cos}
 * @param frequencyShift {@code freq_shift}, 0 or 1
 * @param downsamplePadding 1, or 0 for diffusers' asymmetric padding
 * @param transformer the transformers that stand where another model has attention blocks, or null
 */
public record UNetConfig(
        int sampleSize,
        int inChannels,
        int outChannels,
        List<Integer> blockOutChannels,
        int layersPerBlock,
        List<Boolean> downAttention,
        List<Boolean> upAttention,
        boolean midAttention,
        int attentionHeadDim,
        int normGroups,
        float normEpsilon,
        int classes,
        boolean cosineFirst,
        int frequencyShift,
        int downsamplePadding,
        @Nullable TransformerConfig transformer) {

    public UNetConfig {
        blockOutChannels = List.copyOf(blockOutChannels);
        downAttention = List.copyOf(downAttention);
        upAttention = List.copyOf(upAttention);
        int levels = blockOutChannels.size();
        require(levels >= 1, "block_out_channels must not be empty");
        require(
                downAttention.size() == levels && upAttention.size() == levels,
                "down_block_types and up_block_types must have one entry per level (" + levels + "), got "
                        + downAttention.size() + " and " + upAttention.size());
        require(inChannels >= 1 && outChannels >= 1, "in_channels and out_channels must be >= 1");
        require(layersPerBlock >= 1, "layers_per_block must be >= 1, got " + layersPerBlock);
        require(normGroups >= 1, "norm_num_groups must be >= 1, got " + normGroups);
        require(normEpsilon > 0, "norm_eps must be > 0, got " + normEpsilon);
        require(classes >= 0, "num_class_embeds must be >= 0, got " + classes);
        require(frequencyShift == 0 || frequencyShift == 1, "freq_shift must be 0 or 1, got " + frequencyShift);
        require(
                downsamplePadding == 0 || downsamplePadding == 1,
                "downsample_padding must be 0 or 1, got " + downsamplePadding);
        if (transformer != null) {
            require(attentionHeadDim == 0, "a transformer counts heads, not the channels of each");
            require(midAttention, "a UNet2DConditionModel has attention in the middle");
            require(classes >= 1, "sapwood_classes must be >= 1 for class tokens, got " + classes);
            transformer.requireLevels(levels);
        }
        int factor = 1 << (levels - 1);
        require(
                sampleSize >= factor && sampleSize % factor == 0,
                "sample_size must be divisible by " + factor + " for " + levels + " levels, got " + sampleSize);
        for (int level = 0; level < levels; level++) {
            int channels = blockOutChannels.get(level);
            require(channels >= 4 && channels % 2 == 0, "block_out_channels must be even and >= 4, got " + channels);
            require(
                    channels % normGroups == 0,
                    "norm_num_groups " + normGroups + " must divide block_out_channels " + channels);
            boolean attends = downAttention.get(level)
                    || upAttention.get(levels - 1 - level)
                    || (midAttention && level == levels - 1);
            if (attends && transformer != null) {
                transformer.requireHeads(level, channels);
            } else if (attends) {
                require(
                        attentionHeadDim == 0 || channels % attentionHeadDim == 0,
                        "attention_head_dim " + attentionHeadDim + " must divide " + channels + " channels");
            }
        }
    }

    /** The shape of a {@code UNet2DModel}. */
    public UNetConfig(
            int sampleSize,
            int inChannels,
            int outChannels,
            List<Integer> blockOutChannels,
            int layersPerBlock,
            List<Boolean> downAttention,
            List<Boolean> upAttention,
            boolean midAttention,
            int attentionHeadDim,
            int normGroups,
            float normEpsilon,
            int classes,
            boolean cosineFirst,
            int frequencyShift,
            int downsamplePadding) {
        this(
                sampleSize,
                inChannels,
                outChannels,
                blockOutChannels,
                layersPerBlock,
                downAttention,
                upAttention,
                midAttention,
                attentionHeadDim,
                normGroups,
                normEpsilon,
                classes,
                cosineFirst,
                frequencyShift,
                downsamplePadding,
                null);
    }

    static void require(boolean condition, String message) {
        if (!condition) {
            throw new UserException("model configuration: " + message);
        }
    }

    /** Channels of the time embedding, four times those of the first level. */
    public int timeChannels() {
        return 4 * blockOutChannels.getFirst();
    }

    /** Channels of each head of an attention block over {@code channels} channels. */
    int headDim(int channels) {
        return attentionHeadDim == 0 ? channels : attentionHeadDim;
    }

    /** Whether the class is added to the time embedding. */
    boolean classInTime() {
        return classes > 0 && (transformer == null || transformer.classInTime());
    }

    /** The encoding of timesteps that this model reads. */
    public TimestepEncoding timestepEncoding() {
        return new TimestepEncoding(blockOutChannels.getFirst(), cosineFirst, frequencyShift);
    }

    /** The reference model for 28×28 grey images: 1,114,209 parameters with {@code classes} = 11. */
    public static UNetConfig unet28(int classes) {
        return new UNetConfig(
                28,
                1,
                1,
                List.of(32, 64, 64),
                1,
                List.of(false, false, true),
                List.of(true, false, false),
                true,
                16,
                8,
                1e-5f,
                classes,
                true,
                0,
                1);
    }

    /** The reference model for 32×32 colour images: 4,639,427 parameters with {@code classes} = 11. */
    public static UNetConfig unet32(int classes) {
        return new UNetConfig(
                32,
                3,
                3,
                List.of(64, 128, 128),
                1,
                List.of(false, true, true),
                List.of(true, true, false),
                true,
                32,
                8,
                1e-5f,
                classes,
                true,
                0,
                1);
    }

    /**
     * The reference model with transformers for 28×28 grey images: 80 attention matrices, class tokens seen from every
     * level. At full resolution both attentions of a block look at the class alone, which spares the self-attention of
     * 784 pixels.
     */
    public static UNetConfig unet28x(int classes) {
        return new UNetConfig(
                28,
                1,
                1,
                List.of(32, 48, 64),
                1,
                List.of(true, true, true),
                List.of(true, true, true),
                true,
                0,
                8,
                1e-5f,
                classes,
                true,
                0,
                1,
                new TransformerConfig(
                        8, 64, List.of(2, 3, 4), List.of(1, 1, 1), List.of(true, false, false), true, false));
    }

    /**
     * A model with transformers at every level for the latents of an autoencoder: as many levels as halve the size to 4
     * or to an odd number, three at most. 7×7: one level of three resnets down and four up; 8×8: two levels; 16×16:
     * three.
     *
     * @param sampleSize edge of the latents
     * @param channels of the latents
     * @param classes rows of the label embedder
     */
    public static UNetConfig latent(int sampleSize, int channels, int classes) {
        int levels = 1;
        for (int size = sampleSize; size % 2 == 0 && size > 4 && levels < 3; size /= 2) {
            levels++;
        }
        return new UNetConfig(
                sampleSize,
                channels,
                channels,
                Collections.nCopies(levels, 64),
                levels == 1 ? 3 : 1,
                Collections.nCopies(levels, true),
                Collections.nCopies(levels, true),
                true,
                0,
                8,
                1e-5f,
                classes,
                true,
                0,
                1,
                new TransformerConfig(
                        8,
                        64,
                        Collections.nCopies(levels, 4),
                        Collections.nCopies(levels, 1),
                        Collections.nCopies(levels, false),
                        true,
                        false));
    }

    /** The same model with another number of rows in its label embedder. */
    public UNetConfig withClasses(int count) {
        return new UNetConfig(
                sampleSize,
                inChannels,
                outChannels,
                blockOutChannels,
                layersPerBlock,
                downAttention,
                upAttention,
                midAttention,
                attentionHeadDim,
                normGroups,
                normEpsilon,
                count,
                cosineFirst,
                frequencyShift,
                downsamplePadding,
                transformer);
    }

    /**
     * Reads diffusers' {@code config.json}.
     *
     * @throws UserException naming the file and the option that is missing, unknown or not supported
     */
    public static UNetConfig read(Path file) {
        try {
            return fromJson(Json.readObject(file));
        } catch (UserException e) {
            String message = String.valueOf(e.getMessage());
            throw message.contains(file.toString()) ? e : new UserException(file + ": " + message, e);
        }
    }

    /** The configuration that {@code json}, diffusers' {@code config.json}, describes. */
    public static UNetConfig fromJson(Map<String, Object> json) {
        return DiffusersConfig.read(json);
    }

    /** This configuration as diffusers' {@code config.json}. */
    public Map<String, Object> toJson() {
        return DiffusersConfig.write(this);
    }
}
