package org.sapwood.nn;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;

/**
 * The shape of a {@link UNet}, in the terms of diffusers' {@code UNet2DModel} configuration.
 *
 * @param sampleSize edge of the square images in pixels; divisible by 2^(levels − 1)
 * @param inChannels channels of the input image
 * @param outChannels channels of the predicted noise
 * @param blockOutChannels channels of each level, outermost first
 * @param layersPerBlock resnets per level on the way down; one more on the way up
 * @param downAttention whether each level has attention on the way down, outermost first
 * @param upAttention whether each level has attention on the way up, innermost first
 * @param midAttention whether the middle has attention
 * @param attentionHeadDim channels per attention head; 0 for a single head
 * @param normGroups groups of every group normalisation
 * @param normEpsilon its ε
 * @param classes rows of the class embedding, 0 for an unconditional model
 * @param cosineFirst {@code flip_sin_to_cos}
 * @param frequencyShift {@code freq_shift}, 0 or 1
 * @param downsamplePadding 1, or 0 for diffusers' asymmetric padding
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
        int downsamplePadding) {

    /** Options whose only supported value is diffusers' default; another value is refused by name. */
    private static final Map<String, Set<Object>> FIXED = fixed();

    private static final Set<String> KNOWN = Set.of(
            "sample_size",
            "in_channels",
            "out_channels",
            "block_out_channels",
            "layers_per_block",
            "down_block_types",
            "up_block_types",
            "add_attention",
            "attention_head_dim",
            "norm_num_groups",
            "norm_eps",
            "num_class_embeds",
            "flip_sin_to_cos",
            "freq_shift",
            "downsample_padding");

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
            require(
                    !attends || attentionHeadDim == 0 || channels % attentionHeadDim == 0,
                    "attention_head_dim " + attentionHeadDim + " must divide " + channels + " channels");
        }
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new UserException("model configuration: " + message);
        }
    }

    private static Map<String, Set<Object>> fixed() {
        Map<String, Set<Object>> fixed = new LinkedHashMap<>();
        fixed.put("act_fn", Set.of("silu", "swish"));
        fixed.put("time_embedding_type", Set.of("positional"));
        fixed.put("mid_block_scale_factor", Set.of(1));
        fixed.put("center_input_sample", Set.of(false));
        fixed.put("resnet_time_scale_shift", Set.of("default"));
        fixed.put("downsample_type", Set.of("conv"));
        fixed.put("upsample_type", Set.of("conv"));
        fixed.put("mid_block_type", Set.of("UNetMidBlock2D"));
        fixed.put("dropout", Set.of(0));
        return fixed;
    }

    /** Channels of the time embedding, four times those of the first level. */
    public int timeChannels() {
        return 4 * blockOutChannels.getFirst();
    }

    /** Heads of an attention over {@code channels} channels. */
    int headDim(int channels) {
        return attentionHeadDim == 0 ? channels : attentionHeadDim;
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

    /** The same model with another number of class embeddings. */
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
                downsamplePadding);
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
        Object className = json.getOrDefault("_class_name", "UNet2DModel");
        require(className.equals("UNet2DModel"), "_class_name must be UNet2DModel, got " + className);
        for (Map.Entry<String, Object> entry : json.entrySet()) {
            checkOption(entry.getKey(), entry.getValue());
        }
        Options options = new Options(json);
        List<Boolean> down = options.blocks("down_block_types", "DownBlock2D", "AttnDownBlock2D");
        List<Boolean> up = options.blocks("up_block_types", "UpBlock2D", "AttnUpBlock2D");
        return new UNetConfig(
                options.integer("sample_size", null),
                options.integer("in_channels", 3),
                options.integer("out_channels", 3),
                options.integers("block_out_channels"),
                options.integer("layers_per_block", 2),
                down,
                up,
                options.flag("add_attention", true),
                json.containsKey("attention_head_dim") && json.get("attention_head_dim") == null
                        ? 0
                        : options.integer("attention_head_dim", 8),
                options.integer("norm_num_groups", 32),
                (float) options.number("norm_eps", 1e-5),
                json.get("num_class_embeds") == null ? 0 : options.integer("num_class_embeds", 0),
                options.flag("flip_sin_to_cos", true),
                options.integer("freq_shift", 0),
                options.integer("downsample_padding", 1));
    }

    private static void checkOption(String name, @Nullable Object value) {
        if (name.startsWith("_") || KNOWN.contains(name) || value == null) {
            return;
        }
        Set<Object> allowed = FIXED.get(name);
        if (allowed == null) {
            throw new UserException("model configuration: option " + name + " = " + value + " is not supported");
        }
        Object comparable =
                value instanceof Number n && n.doubleValue() == n.intValue() ? (Object) n.intValue() : value;
        require(allowed.contains(comparable), "option " + name + " = " + value + " is not supported, only " + allowed);
    }

    /** This configuration as diffusers' {@code config.json}. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("_class_name", "UNet2DModel");
        json.put("sample_size", sampleSize);
        json.put("in_channels", inChannels);
        json.put("out_channels", outChannels);
        json.put("block_out_channels", blockOutChannels);
        json.put("layers_per_block", layersPerBlock);
        json.put("down_block_types", blockNames(downAttention, "DownBlock2D"));
        json.put("up_block_types", blockNames(upAttention, "UpBlock2D"));
        json.put("add_attention", midAttention);
        json.put("attention_head_dim", attentionHeadDim == 0 ? null : attentionHeadDim);
        json.put("norm_num_groups", normGroups);
        json.put("norm_eps", Double.parseDouble(Float.toString(normEpsilon)));
        json.put("num_class_embeds", classes == 0 ? null : classes);
        json.put("act_fn", "silu");
        json.put("time_embedding_type", "positional");
        json.put("flip_sin_to_cos", cosineFirst);
        json.put("freq_shift", frequencyShift);
        json.put("downsample_padding", downsamplePadding);
        json.put("mid_block_scale_factor", 1);
        return json;
    }

    private static List<String> blockNames(List<Boolean> attention, String plain) {
        return attention.stream().map(a -> a ? "Attn" + plain : plain).toList();
    }

    /** Typed reads of a JSON object that name the option at fault. */
    private record Options(Map<String, Object> json) {
        int integer(String name, @Nullable Integer defaultValue) {
            Object value = json.get(name);
            if (value == null) {
                if (defaultValue == null) {
                    throw new UserException("model configuration: option " + name + " is missing");
                }
                return defaultValue;
            }
            require(
                    value instanceof Number n && n.doubleValue() == n.intValue(),
                    "option " + name + " must be an integer, got " + value);
            return ((Number) value).intValue();
        }

        double number(String name, double defaultValue) {
            Object value = json.getOrDefault(name, defaultValue);
            require(value instanceof Number, "option " + name + " must be a number, got " + value);
            return ((Number) value).doubleValue();
        }

        boolean flag(String name, boolean defaultValue) {
            Object value = json.getOrDefault(name, defaultValue);
            require(value instanceof Boolean, "option " + name + " must be true or false, got " + value);
            return (Boolean) value;
        }

        List<Object> list(String name) {
            Object value = json.get(name);
            require(value instanceof List<?>, "option " + name + " must be a list, got " + value);
            return new ArrayList<>((List<?>) value);
        }

        List<Integer> integers(String name) {
            List<Integer> values = new ArrayList<>();
            for (Object value : list(name)) {
                require(value instanceof Integer, "option " + name + " must hold integers, got " + value);
                values.add((Integer) value);
            }
            return values;
        }

        List<Boolean> blocks(String name, String plain, String attending) {
            List<Boolean> attention = new ArrayList<>();
            for (Object block : list(name)) {
                require(
                        block.equals(plain) || block.equals(attending),
                        name + " must hold " + plain + " or " + attending + ", got " + block);
                attention.add(block.equals(attending));
            }
            return attention;
        }
    }
}
