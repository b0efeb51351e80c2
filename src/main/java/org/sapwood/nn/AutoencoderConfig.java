package org.sapwood.nn;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;

/**
 * The shape of an {@link Autoencoder}, in the terms of diffusers' {@code AutoencoderKL} configuration.
 *
 * @param sampleSize edge of the square images in pixels; divisible by 2^(levels − 1)
 * @param channels of an image
 * @param blockOutChannels channels of each level, outermost first; every level but the last halves the resolution
 * @param layersPerBlock resnets per level of the encoder; one more in the decoder
 * @param latentChannels channels of a latent
 * @param normGroups groups of every group normalisation
 * @param midAttention whether the middle of encoder and decoder has attention, of a single head
 * @param scalingFactor 1/standard deviation of the latents of the public images, with which they are multiplied, so that
 *     the diffusion model sees unit variance (Rombach et al. 2022, section 3.3 and appendix G)
 */
public record AutoencoderConfig(
        int sampleSize,
        int channels,
        List<Integer> blockOutChannels,
        int layersPerBlock,
        int latentChannels,
        int normGroups,
        boolean midAttention,
        double scalingFactor) {

    /** Diffusers' name of this kind of model. */
    public static final String CLASS_NAME = "AutoencoderKL";

    /** What diffusers takes where a configuration names no {@code scaling_factor}. */
    private static final double DEFAULT_SCALING_FACTOR = 0.18215;

    private static final String ENCODER_BLOCK = "DownEncoderBlock2D";
    private static final String DECODER_BLOCK = "UpDecoderBlock2D";

    private static final Set<String> KNOWN = Set.of(
            "sample_size",
            "in_channels",
            "out_channels",
            "block_out_channels",
            "layers_per_block",
            "latent_channels",
            "norm_num_groups",
            "mid_block_add_attention",
            "scaling_factor",
            "down_block_types",
            "up_block_types");

    /** Options of which only some values are supported; {@code force_upcast} is about float16 and changes nothing here. */
    private static final Map<String, Set<Object>> FIXED = Map.of(
            "act_fn", Set.of("silu", "swish"),
            "use_quant_conv", Set.of(true),
            "use_post_quant_conv", Set.of(true),
            "force_upcast", Set.of(true, false));

    public AutoencoderConfig {
        blockOutChannels = List.copyOf(blockOutChannels);
        int levels = blockOutChannels.size();
        require(levels >= 1, "block_out_channels must not be empty");
        require(channels == 1 || channels == 3, "in_channels must be 1 or 3, got " + channels);
        require(layersPerBlock >= 1, "layers_per_block must be >= 1, got " + layersPerBlock);
        require(latentChannels >= 1, "latent_channels must be >= 1, got " + latentChannels);
        require(normGroups >= 1, "norm_num_groups must be >= 1, got " + normGroups);
        require(
                scalingFactor > 0 && Double.isFinite(scalingFactor),
                "scaling_factor must be > 0, got " + scalingFactor);
        for (int width : blockOutChannels) {
            require(
                    width >= 1 && width % normGroups == 0,
                    "norm_num_groups " + normGroups + " must divide block_out_channels " + width);
        }
        int factor = 1 << (levels - 1);
        require(
                sampleSize >= factor && sampleSize % factor == 0,
                "sample_size must be divisible by " + factor + " for " + levels + " levels, got " + sampleSize);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new UserException("autoencoder configuration: " + message);
        }
    }

    /** 28×28×1 to 7×7×4. */
    public static AutoencoderConfig kl28() {
        return new AutoencoderConfig(28, 1, List.of(16, 32, 64), 1, 4, 8, true, 1);
    }

    /** 32×32×3 to 16×16×3. */
    public static AutoencoderConfig kl32To16() {
        return new AutoencoderConfig(32, 3, List.of(32, 64), 1, 3, 8, true, 1);
    }

    /** 32×32×3 to 8×8×4. */
    public static AutoencoderConfig kl32To8() {
        return new AutoencoderConfig(32, 3, List.of(32, 48, 64), 1, 4, 8, true, 1);
    }

    /** Edge of the square latents. */
    public int latentSize() {
        return sampleSize >> (blockOutChannels.size() - 1);
    }

    /** Values of an image. */
    public int imageLength() {
        return sampleSize * sampleSize * channels;
    }

    /** Values of a latent. */
    public int latentLength() {
        return latentSize() * latentSize() * latentChannels;
    }

    /** The same model with another factor for its latents. */
    public AutoencoderConfig withScalingFactor(double factor) {
        return new AutoencoderConfig(
                sampleSize,
                channels,
                blockOutChannels,
                layersPerBlock,
                latentChannels,
                normGroups,
                midAttention,
                factor);
    }

    /**
     * Reads diffusers' {@code config.json}.
     *
     * @throws UserException naming the file and the option that is missing, unknown or not supported
     */
    public static AutoencoderConfig read(Path file) {
        try {
            return fromJson(Json.readObject(file));
        } catch (UserException e) {
            String message = String.valueOf(e.getMessage());
            throw message.contains(file.toString()) ? e : new UserException(file + ": " + message, e);
        }
    }

    /** The configuration that {@code json}, diffusers' {@code config.json}, describes. */
    public static AutoencoderConfig fromJson(Map<String, Object> json) {
        Object className = json.getOrDefault("_class_name", CLASS_NAME);
        require(className.equals(CLASS_NAME), "_class_name must be " + CLASS_NAME + ", got " + className);
        json.forEach(AutoencoderConfig::checkOption);
        ConfigOptions options = new ConfigOptions("autoencoder", json);
        int channels = options.integer("in_channels", 3);
        require(
                options.integer("out_channels", 3) == channels,
                "out_channels must equal in_channels " + channels + ", got " + json.get("out_channels"));
        List<Integer> widths = options.integers("block_out_channels");
        checkBlocks(json, "down_block_types", ENCODER_BLOCK, widths.size());
        checkBlocks(json, "up_block_types", DECODER_BLOCK, widths.size());
        return new AutoencoderConfig(
                options.integer("sample_size", 32),
                channels,
                widths,
                options.integer("layers_per_block", 1),
                options.integer("latent_channels", 4),
                options.integer("norm_num_groups", 32),
                !Boolean.FALSE.equals(json.get("mid_block_add_attention")),
                options.number("scaling_factor", DEFAULT_SCALING_FACTOR));
    }

    private static void checkOption(String name, @Nullable Object value) {
        if (name.startsWith("_") || KNOWN.contains(name) || value == null) {
            return;
        }
        Set<Object> allowed = FIXED.get(name);
        require(allowed != null, "option " + name + " = " + value + " is not supported");
        require(
                allowed != null && allowed.contains(value),
                "option " + name + " = " + value + " is not supported, only " + allowed);
    }

    private static void checkBlocks(Map<String, Object> json, String name, String only, int levels) {
        Object blocks = json.get(name);
        require(
                List.of(Collections.nCopies(levels, only)).contains(blocks),
                name + " must hold " + only + " once per level (" + levels + "), got " + blocks);
    }

    /** This configuration as diffusers' {@code config.json}. */
    public Map<String, Object> toJson() {
        int levels = blockOutChannels.size();
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("_class_name", CLASS_NAME);
        json.put("sample_size", sampleSize);
        json.put("in_channels", channels);
        json.put("out_channels", channels);
        json.put("block_out_channels", blockOutChannels);
        json.put("layers_per_block", layersPerBlock);
        json.put("down_block_types", Collections.nCopies(levels, ENCODER_BLOCK));
        json.put("up_block_types", Collections.nCopies(levels, DECODER_BLOCK));
        json.put("latent_channels", latentChannels);
        json.put("norm_num_groups", normGroups);
        json.put("act_fn", "silu");
        json.put("mid_block_add_attention", midAttention);
        json.put("scaling_factor", scalingFactor);
        return json;
    }
}
