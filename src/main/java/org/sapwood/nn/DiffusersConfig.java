package org.sapwood.nn;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A {@link UNetConfig} as diffusers' {@code config.json} of {@code UNet2DModel} or {@code UNet2DConditionModel}. Every
 * option either works or is refused by name, never passed over in silence: an option that is overlooked makes a model
 * that loads and draws noise.
 */
final class DiffusersConfig {
    private static final String PLAIN = "UNet2DModel";
    private static final String CONDITIONAL = "UNet2DConditionModel";

    private static final String DOWN = "DownBlock2D";
    private static final String UP = "UpBlock2D";
    private static final String ATTENTION = "Attn";
    private static final String CROSS_ATTENTION = "CrossAttn";

    private static final String TOKENS = "sapwood_class_tokens";
    private static final String CLASSES = "sapwood_classes";

    /** Options of both classes that work. */
    private static final Set<String> WORKING = Set.of(
            "sample_size",
            "in_channels",
            "out_channels",
            "block_out_channels",
            "layers_per_block",
            "down_block_types",
            "up_block_types",
            "attention_head_dim",
            "norm_num_groups",
            "norm_eps",
            "num_class_embeds",
            "flip_sin_to_cos",
            "freq_shift",
            "downsample_padding");

    private static final Set<String> WORKING_PLAIN = Set.of("add_attention", "attn_norm_num_groups");

    private static final Set<String> WORKING_CONDITIONAL = Set.of(
            "cross_attention_dim",
            "transformer_layers_per_block",
            "only_cross_attention",
            "use_linear_projection",
            TOKENS,
            CLASSES);

    /**
     * Options without effect on a model that is accepted: tables of learned timesteps and of added embeddings are
     * refused, and all arithmetic is of one precision.
     */
    private static final Set<String> WITHOUT_EFFECT =
            Set.of("num_train_timesteps", "addition_embed_type_num_heads", "upcast_attention");

    /** Options of both classes of which only these values work. */
    private static final Map<String, Set<Object>> FIXED = Map.of(
            "act_fn", Set.of("silu", "swish"),
            "time_embedding_type", Set.of("positional"),
            "mid_block_scale_factor", Set.of(1),
            "center_input_sample", Set.of(false),
            "resnet_time_scale_shift", Set.of("default"),
            "dropout", Set.of(0));

    private static final Map<String, Set<Object>> FIXED_PLAIN = Map.of(
            "mid_block_type", Set.of("UNetMidBlock2D"),
            "downsample_type", Set.of("conv"),
            "upsample_type", Set.of("conv"),
            "attention_legacy_order", Set.of(false));

    private static final Map<String, Set<Object>> FIXED_CONDITIONAL = Map.of(
            "mid_block_type", Set.of("UNetMidBlock2DCrossAttn"),
            "dual_cross_attention", Set.of(false),
            "resnet_skip_time_act", Set.of(false),
            "resnet_out_scale_factor", Set.of(1),
            "conv_in_kernel", Set.of(3),
            "conv_out_kernel", Set.of(3),
            "attention_type", Set.of("default"),
            "class_embeddings_concat", Set.of(false),
            "mid_block_only_cross_attention", Set.of(false));

    /** Options that diffusers writes as null where they are not set; null of any other is not their default. */
    private static final Set<String> UNSET_AS_NULL = Set.of(
            "sample_size",
            "num_class_embeds",
            "attn_norm_num_groups",
            "num_train_timesteps",
            "mid_block_only_cross_attention",
            TOKENS,
            CLASSES);

    private DiffusersConfig() {}

    /**
     * Reads a configuration.
     *
     * @throws org.sapwood.io.UserException naming the option that is missing, unknown or not supported
     */
    static UNetConfig read(Map<String, Object> json) {
        Object className = json.getOrDefault("_class_name", PLAIN);
        boolean conditional = className.equals(CONDITIONAL);
        UNetConfig.require(
                conditional || className.equals(PLAIN),
                "_class_name must be " + PLAIN + " or " + CONDITIONAL + ", got " + className);
        json.forEach((name, value) -> checkOption(name, value, conditional));
        ConfigOptions options = new ConfigOptions("model", json);
        return conditional ? readConditional(options) : readPlain(options);
    }

    private static void checkOption(String name, @Nullable Object value, boolean conditional) {
        Map<String, Set<Object>> fixed = conditional ? FIXED_CONDITIONAL : FIXED_PLAIN;
        Set<Object> allowed = FIXED.getOrDefault(name, fixed.get(name));
        boolean works = WORKING.contains(name) || (conditional ? WORKING_CONDITIONAL : WORKING_PLAIN).contains(name);
        if (name.startsWith("_") || WITHOUT_EFFECT.contains(name)) {
            return;
        }
        if (value == null) {
            // Null switches off an option that is not known here, such as an embedding of some later version.
            boolean unset = UNSET_AS_NULL.contains(name) || (!works && allowed == null);
            boolean singleHead = name.equals("attention_head_dim") && !conditional;
            UNetConfig.require(unset || singleHead, "option " + name + " = null is not supported");
        } else if (allowed != null) {
            Object comparable =
                    value instanceof Number n && n.doubleValue() == n.intValue() ? (Object) n.intValue() : value;
            UNetConfig.require(
                    allowed.contains(comparable),
                    "option " + name + " = " + value + " is not supported, only " + allowed);
        } else {
            UNetConfig.require(works, "option " + name + " = " + value + " is not supported");
        }
    }

    private static UNetConfig readPlain(ConfigOptions options) {
        int normGroups = options.integer("norm_num_groups", 32);
        int middleGroups = options.integer("attn_norm_num_groups", normGroups);
        UNetConfig.require(
                middleGroups == normGroups,
                "option attn_norm_num_groups = " + middleGroups + " is not supported, only norm_num_groups ("
                        + normGroups + ")");
        return new UNetConfig(
                options.integer("sample_size", null),
                options.integer("in_channels", 3),
                options.integer("out_channels", 3),
                options.integers("block_out_channels"),
                options.integer("layers_per_block", 2),
                options.blocks("down_block_types", DOWN, ATTENTION + DOWN),
                options.blocks("up_block_types", UP, ATTENTION + UP),
                options.flag("add_attention", true),
                options.isNull("attention_head_dim") ? 0 : options.integer("attention_head_dim", 8),
                normGroups,
                (float) options.number("norm_eps", 1e-5),
                options.integer("num_class_embeds", 0),
                options.flag("flip_sin_to_cos", true),
                options.integer("freq_shift", 0),
                options.integer("downsample_padding", 1));
    }

    private static UNetConfig readConditional(ConfigOptions options) {
        UNetConfig.require(
                options.has(TOKENS) && options.has(CLASSES),
                "a " + CONDITIONAL + " needs " + TOKENS + " and " + CLASSES + ", tokens per class and classes: its"
                        + " cross-attention looks at class tokens of its own; one that looks at the output of a text"
                        + " encoder cannot be used");
        List<Integer> channels = options.integers("block_out_channels");
        int levels = channels.size();
        int classes = options.integer(CLASSES, null);
        int added = options.integer("num_class_embeds", 0);
        UNetConfig.require(
                added == 0 || added == classes,
                "num_class_embeds must be null or equal to " + CLASSES + " (" + classes + "), got " + added);
        return new UNetConfig(
                options.integer("sample_size", null),
                options.integer("in_channels", 4),
                options.integer("out_channels", 4),
                channels,
                options.integer("layers_per_block", 2),
                options.blocks("down_block_types", DOWN, CROSS_ATTENTION + DOWN),
                options.blocks("up_block_types", UP, CROSS_ATTENTION + UP),
                true,
                0,
                options.integer("norm_num_groups", 32),
                (float) options.number("norm_eps", 1e-5),
                classes,
                options.flag("flip_sin_to_cos", true),
                options.integer("freq_shift", 0),
                options.integer("downsample_padding", 1),
                new TransformerConfig(
                        options.integer(TOKENS, null),
                        options.integer("cross_attention_dim", 1280),
                        options.integerPerLevel("attention_head_dim", 8, levels),
                        options.integerPerLevel("transformer_layers_per_block", 1, levels),
                        options.flagPerLevel("only_cross_attention", false, levels),
                        options.flag("use_linear_projection", false),
                        added > 0));
    }

    /** The configuration as diffusers would write it. */
    static Map<String, Object> write(UNetConfig config) {
        TransformerConfig transformer = config.transformer();
        String prefix = transformer == null ? ATTENTION : CROSS_ATTENTION;
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("_class_name", transformer == null ? PLAIN : CONDITIONAL);
        json.put("sample_size", config.sampleSize());
        json.put("in_channels", config.inChannels());
        json.put("out_channels", config.outChannels());
        json.put("block_out_channels", config.blockOutChannels());
        json.put("layers_per_block", config.layersPerBlock());
        json.put("down_block_types", blockNames(config.downAttention(), prefix, DOWN));
        json.put("up_block_types", blockNames(config.upAttention(), prefix, UP));
        if (transformer == null) {
            json.put("add_attention", config.midAttention());
            json.put("attention_head_dim", config.attentionHeadDim() == 0 ? null : config.attentionHeadDim());
        } else {
            json.put("mid_block_type", "UNetMidBlock2DCrossAttn");
            json.put("attention_head_dim", transformer.heads());
            json.put("cross_attention_dim", transformer.tokenChannels());
            json.put("transformer_layers_per_block", transformer.layers());
            json.put("only_cross_attention", transformer.onlyCrossAttention());
            json.put("use_linear_projection", transformer.linearProjection());
            json.put(TOKENS, transformer.tokens());
            json.put(CLASSES, config.classes());
        }
        json.put("norm_num_groups", config.normGroups());
        json.put("norm_eps", Double.parseDouble(Float.toString(config.normEpsilon())));
        json.put("num_class_embeds", config.classInTime() ? config.classes() : null);
        json.put("act_fn", "silu");
        json.put("time_embedding_type", "positional");
        json.put("flip_sin_to_cos", config.cosineFirst());
        json.put("freq_shift", config.frequencyShift());
        json.put("downsample_padding", config.downsamplePadding());
        json.put("mid_block_scale_factor", 1);
        return json;
    }

    private static List<String> blockNames(List<Boolean> attention, String prefix, String plain) {
        return attention.stream().map(a -> a ? prefix + plain : plain).toList();
    }
}
