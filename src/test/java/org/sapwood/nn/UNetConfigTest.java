package org.sapwood.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.autograd.Parameter;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Tensor;

class UNetConfigTest {
    private static UNetConfig parse(String json) {
        return UNetConfig.fromJson(Json.parseObject(json, "test"));
    }

    private static long attentionSize(UNet model) {
        return model.parameters().all().stream()
                .filter(p -> UNet.inAttention(p.name()))
                .mapToLong(Parameter::size)
                .sum();
    }

    /** Names of the weights that the DP-SAPF paper adapts. */
    private static List<String> projections(UNetConfig config) {
        return new UNet(config)
                .matrices().keySet().stream()
                        .filter(UNet::inAttentionProjection)
                        .toList();
    }

    @Test
    void referenceModelsHaveTheirPublishedSize() {
        UNet unet28 = new UNet(UNetConfig.unet28(11));
        assertEquals(1_114_209, unet28.parameters().size());
        assertEquals(67_072, attentionSize(unet28));
        assertEquals(4_639_427, new UNet(UNetConfig.unet32(11)).parameters().size());
    }

    @Test
    void unet28HasSixteenAttentionMatrices() {
        List<String> names = projections(UNetConfig.unet28(11));
        assertEquals(16, names.size());
        assertTrue(names.contains("down_blocks.2.attentions.0.to_q.weight"));
        assertTrue(names.contains("up_blocks.0.attentions.1.to_out.0.weight"));
    }

    @Test
    void unet28xHasEightyAttentionMatrices() {
        UNet model = new UNet(UNetConfig.unet28x(11));
        assertEquals(1_493_745, model.parameters().size());
        assertEquals(
                List.of(
                        "down_blocks.0.attentions.0.transformer_blocks.0",
                        "down_blocks.1.attentions.0.transformer_blocks.0",
                        "down_blocks.2.attentions.0.transformer_blocks.0",
                        "mid_block.attentions.0.transformer_blocks.0",
                        "up_blocks.0.attentions.0.transformer_blocks.0",
                        "up_blocks.0.attentions.1.transformer_blocks.0",
                        "up_blocks.1.attentions.0.transformer_blocks.0",
                        "up_blocks.1.attentions.1.transformer_blocks.0",
                        "up_blocks.2.attentions.0.transformer_blocks.0",
                        "up_blocks.2.attentions.1.transformer_blocks.0"),
                model.transformerBlocks());
        List<String> expected = new ArrayList<>();
        for (String block : model.transformerBlocks()) {
            for (String attention : List.of(".attn1", ".attn2")) {
                for (String projection : List.of(".to_q", ".to_k", ".to_v", ".to_out.0")) {
                    expected.add(block + attention + projection + ".weight");
                }
            }
        }
        assertEquals(80, expected.size());
        assertEquals(expected, projections(UNetConfig.unet28x(11)));
    }

    @Test
    void latentModelsHaveSevenToTenTransformerBlocks() {
        assertEquals(
                8, new UNet(UNetConfig.latent(7, 4, 11)).transformerBlocks().size());
        assertEquals(
                1_820_548, new UNet(UNetConfig.latent(7, 4, 11)).parameters().size());
        assertEquals(
                7, new UNet(UNetConfig.latent(8, 4, 11)).transformerBlocks().size());
        assertEquals(
                10, new UNet(UNetConfig.latent(16, 3, 11)).transformerBlocks().size());
        assertEquals(List.of("class_tokens.weight"), new UNet(UNetConfig.latent(16, 3, 11)).conditionParameters());
    }

    /** Every parameter of a transformer as diffusers' Transformer2DModel has it, with its shape on disk. */
    @Test
    void aTransformerHasDiffusersNamesAndShapes() {
        String name = "mid_block.attentions.0.";
        Map<String, List<Integer>> expected = new TreeMap<>();
        expected.put("norm.weight", List.of(8));
        expected.put("norm.bias", List.of(8));
        expected.put("proj_in.weight", List.of(8, 8));
        expected.put("proj_in.bias", List.of(8));
        expected.put("proj_out.weight", List.of(8, 8));
        expected.put("proj_out.bias", List.of(8));
        for (int norm = 1; norm <= 3; norm++) {
            expected.put("transformer_blocks.0.norm" + norm + ".weight", List.of(8));
            expected.put("transformer_blocks.0.norm" + norm + ".bias", List.of(8));
        }
        for (int attention = 1; attention <= 2; attention++) {
            String attn = "transformer_blocks.0.attn" + attention;
            int context = attention == 1 ? 8 : 5;
            expected.put(attn + ".to_q.weight", List.of(8, 8));
            expected.put(attn + ".to_k.weight", List.of(8, context));
            expected.put(attn + ".to_v.weight", List.of(8, context));
            expected.put(attn + ".to_out.0.weight", List.of(8, 8));
            expected.put(attn + ".to_out.0.bias", List.of(8));
        }
        expected.put("transformer_blocks.0.ff.net.0.proj.weight", List.of(64, 8));
        expected.put("transformer_blocks.0.ff.net.0.proj.bias", List.of(64));
        expected.put("transformer_blocks.0.ff.net.2.weight", List.of(8, 32));
        expected.put("transformer_blocks.0.ff.net.2.bias", List.of(8));
        Map<String, List<Integer>> actual = new TreeMap<>();
        for (Parameter parameter : new UNet(TinyUNets.TOKENS_ONLY).parameters().all()) {
            if (parameter.name().startsWith(name)) {
                int[] shape =
                        parameter.layout().diskShape(parameter.value().shape()).toArray();
                actual.put(
                        parameter.name().substring(name.length()),
                        Arrays.stream(shape).boxed().toList());
            }
        }
        assertEquals(expected, actual);
    }

    /** On the way up the levels come in reverse; the middle is the innermost level, but always looks at its pixels. */
    @Test
    void optionsByLevelHoldOnTheWayUpToo() {
        UNet model = new UNet(TinyUNets.CONDITIONAL);
        assertEquals(
                List.of(
                        "down_blocks.0.attentions.0.transformer_blocks.0 4x6",
                        "down_blocks.1.attentions.0.transformer_blocks.0 8x8",
                        "down_blocks.1.attentions.0.transformer_blocks.1 8x8",
                        "mid_block.attentions.0.transformer_blocks.0 8x8",
                        "mid_block.attentions.0.transformer_blocks.1 8x8",
                        "up_blocks.0.attentions.0.transformer_blocks.0 8x8",
                        "up_blocks.0.attentions.0.transformer_blocks.1 8x8",
                        "up_blocks.0.attentions.1.transformer_blocks.0 8x8",
                        "up_blocks.0.attentions.1.transformer_blocks.1 8x8",
                        "up_blocks.1.attentions.0.transformer_blocks.0 4x6",
                        "up_blocks.1.attentions.1.transformer_blocks.0 4x6"),
                model.transformerBlocks().stream()
                        .map(block -> block + " " + keyShape(model, block))
                        .toList());
        UNet allCross = new UNet(TinyUNets.CONDITIONAL_ONLY_CROSS);
        assertEquals("8x8", keyShape(allCross, "mid_block.attentions.0.transformer_blocks.0"));
        assertEquals("8x6", keyShape(allCross, "up_blocks.0.attentions.0.transformer_blocks.0"));
    }

    /** Rows and columns of the first attention's key projection. */
    private static String keyShape(UNet model, String block) {
        String name = block + ".attn1.to_k.weight";
        Tensor key = Objects.requireNonNull(model.matrices().get(name), name)
                .weight()
                .value();
        return key.dim(0) + "x" + key.dim(1);
    }

    @Test
    void outsideItsTransformersAConditionalModelHasTheNamesOfAPlainOne() {
        assertEquals(names(TinyUNets.CONFIG), names(TinyUNets.CONDITIONAL));
        assertEquals(
                List.of("class_embedding.weight", "class_tokens.weight"),
                new UNet(TinyUNets.CONDITIONAL).conditionParameters());
        assertEquals(List.of("class_embedding.weight"), new UNet(TinyUNets.CONFIG).conditionParameters());
        assertEquals(List.of(), new UNet(UNetConfig.unet28(0)).conditionParameters());
    }

    private static List<String> names(UNetConfig config) {
        return new UNet(config)
                .parameters().all().stream()
                        .map(Parameter::name)
                        .filter(name -> !UNet.inAttention(name) && !name.startsWith("class_tokens."))
                        .toList();
    }

    @Test
    void diffusersDdpmIsAccepted() {
        UNetConfig config = DdpmConfigs.cifar10();
        assertEquals(0, config.attentionHeadDim());
        assertEquals(256, config.headDim(256));
        assertEquals(1e-6f, config.normEpsilon());
        assertEquals(0, config.classes());
        assertEquals(35_746_307, new UNet(config).parameters().size());
    }

    /** As google/ddpm-cat-256 and the other 256×256 models have it, and as a later diffusers writes it again. */
    @Test
    void laterDiffusersWriteMoreOptions() {
        UNetConfig expected = parse("""
            {"_class_name": "UNet2DModel", "_diffusers_version": "0.0.4", "act_fn": "silu", "attention_head_dim": null,
             "block_out_channels": [128, 128, 256, 256, 512, 512], "center_input_sample": false,
             "down_block_types": ["DownBlock2D", "DownBlock2D", "DownBlock2D", "DownBlock2D", "AttnDownBlock2D",
             "DownBlock2D"], "downsample_padding": 0, "flip_sin_to_cos": false, "freq_shift": 1, "in_channels": 3,
             "layers_per_block": 2, "mid_block_scale_factor": 1, "norm_eps": 1e-06, "norm_num_groups": 32,
             "out_channels": 3, "sample_size": 256, "time_embedding_type": "positional",
             "up_block_types": ["UpBlock2D", "AttnUpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D"]}
            """);
        Map<String, Object> later = new LinkedHashMap<>(expected.toJson());
        for (String option : List.of("attn_norm_num_groups", "class_embed_type", "num_class_embeds")) {
            later.put(option, null);
        }
        later.put("num_train_timesteps", null);
        later.put("add_attention", true);
        later.put("downsample_type", "conv");
        later.put("upsample_type", "conv");
        later.put("dropout", 0.0);
        later.put("mid_block_type", "UNetMidBlock2D");
        later.put("resnet_time_scale_shift", "default");
        later.put("_name_or_path", "google/ddpm-cat-256");
        assertEquals(expected, UNetConfig.fromJson(later));
        assertEquals(0, expected.downsamplePadding());
        assertEquals(6, expected.blockOutChannels().size());
    }

    @Test
    void jsonRoundTrips() {
        for (UNetConfig config : List.of(
                UNetConfig.unet28(11),
                UNetConfig.unet32(5),
                UNetConfig.unet28(11).withClasses(0),
                UNetConfig.unet28x(11).withClasses(4),
                UNetConfig.latent(7, 4, 3),
                TinyUNets.CONDITIONAL,
                DdpmConfigs.cifar10())) {
            assertEquals(config, parse(Json.pretty(config.toJson())));
        }
    }

    @Test
    void optionsThatAreLeftOutHaveDiffusersDefaults() {
        UNetConfig config = parse("""
            {"sample_size": 8, "block_out_channels": [32, 64], "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
             "up_block_types": ["AttnUpBlock2D", "UpBlock2D"]}
            """);
        assertEquals(
                new UNetConfig(
                        8,
                        3,
                        3,
                        List.of(32, 64),
                        2,
                        List.of(false, true),
                        List.of(true, false),
                        true,
                        8,
                        32,
                        1e-5f,
                        0,
                        true,
                        0,
                        1),
                config);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "act_fn|\"gelu\"|option act_fn = gelu is not supported, only",
                "time_embedding_type|\"fourier\"|option time_embedding_type = fourier is not supported, only"
                        + " [positional]",
                "resnet_time_scale_shift|\"scale_shift\"|option resnet_time_scale_shift = scale_shift is not supported",
                "mid_block_scale_factor|1.4142|option mid_block_scale_factor = 1.4142 is not supported",
                "class_embed_type|\"timestep\"|option class_embed_type = timestep is not supported",
                "cross_attention_dim|768|option cross_attention_dim = 768 is not supported",
                "_class_name|\"UNet3DConditionModel\"|_class_name must be UNet2DModel or UNet2DConditionModel, got"
                        + " UNet3DConditionModel",
                "attn_norm_num_groups|4|option attn_norm_num_groups = 4 is not supported, only norm_num_groups (8)",
                "norm_num_groups|null|option norm_num_groups = null is not supported",
                "mid_block_type|null|option mid_block_type = null is not supported",
                "attention_legacy_order|true|option attention_legacy_order = true is not supported",
                "dropout|0.1|option dropout = 0.1 is not supported, only [0]",
                "some_new_option|1|option some_new_option = 1 is not supported",
                "sample_size|30|sample_size must be divisible by 4 for 3 levels, got 30",
                "sample_size|null|option sample_size is missing",
                "sample_size|\"28\"|option sample_size must be an integer, got 28",
                "layers_per_block|1.5|option layers_per_block must be an integer, got 1.5",
                "block_out_channels|[32, 64]|must have one entry per level (2), got 3 and 3",
                "block_out_channels|32|option block_out_channels must be a list, got 32",
                "block_out_channels|[32, 64, 60]|norm_num_groups 8 must divide block_out_channels 60",
                "down_block_types|[\"DownBlock2D\", \"SkipDownBlock2D\", \"DownBlock2D\"]|must hold DownBlock2D or",
                "attention_head_dim|24|attention_head_dim 24 must divide 64 channels",
                "norm_eps|0|norm_eps must be > 0, got 0.0",
                "flip_sin_to_cos|1|option flip_sin_to_cos must be true or false, got 1",
                "freq_shift|2|freq_shift must be 0 or 1, got 2",
                "downsample_padding|2|downsample_padding must be 0 or 1, got 2",
            })
    void whatIsNotSupportedIsRefusedByName(String option, String value, String message) {
        assertRefused(UNetConfig.unet28(11), option, value, message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sapwood_class_tokens|null|needs sapwood_class_tokens and sapwood_classes",
                "sapwood_class_tokens|0|sapwood_class_tokens must be >= 1, got 0",
                "sapwood_classes|0|sapwood_classes must be >= 1",
                "num_class_embeds|7|num_class_embeds must be null or equal to sapwood_classes (11), got 7",
                "cross_attention_dim|[64, 64, 32]|option cross_attention_dim must be an integer",
                "cross_attention_dim|0|cross_attention_dim must be >= 1, got 0",
                "attention_head_dim|null|option attention_head_dim = null is not supported",
                "attention_head_dim|5|in a UNet2DConditionModel the number of heads (5), must divide 32 channels",
                "attention_head_dim|[2, 2]|attention_head_dim must have one entry per level (3), got 2",
                "attention_head_dim|0|attention_head_dim (heads) must be >= 1, got 0",
                "transformer_layers_per_block|[1, [1, 2], 1]|option transformer_layers_per_block must hold integers",
                "only_cross_attention|[true, 0, true]|option only_cross_attention must hold true or false, got 0",
                "num_attention_heads|4|option num_attention_heads = 4 is not supported",
                "reverse_transformer_layers_per_block|[1]|option reverse_transformer_layers_per_block = [1] is not",
                "mid_block_type|\"UNetMidBlock2DSimpleCrossAttn\"|option mid_block_type =",
                "down_block_types|[\"AttnDownBlock2D\", \"DownBlock2D\", \"DownBlock2D\"]|must hold DownBlock2D or"
                        + " CrossAttnDownBlock2D, got AttnDownBlock2D",
                "layers_per_block|[1, 2, 2]|option layers_per_block must be an integer",
                "dual_cross_attention|true|option dual_cross_attention = true is not supported",
                "encoder_hid_dim|64|option encoder_hid_dim = 64 is not supported",
                "addition_embed_type|\"text\"|option addition_embed_type = text is not supported",
                "class_embed_type|\"projection\"|option class_embed_type = projection is not supported",
                "time_embedding_dim|512|option time_embedding_dim = 512 is not supported",
                "timestep_post_act|\"silu\"|option timestep_post_act = silu is not supported",
                "time_cond_proj_dim|256|option time_cond_proj_dim = 256 is not supported",
                "conv_in_kernel|1|option conv_in_kernel = 1 is not supported, only [3]",
                "cross_attention_norm|\"layer_norm\"|option cross_attention_norm = layer_norm is not supported",
                "attention_type|\"gated\"|option attention_type = gated is not supported",
                "resnet_skip_time_act|true|option resnet_skip_time_act = true is not supported",
                "add_attention|false|option add_attention = false is not supported",
            })
    void whatAConditionalModelCannotDoIsRefusedByName(String option, String value, String message) {
        assertRefused(UNetConfig.unet28x(11), option, value, message);
    }

    private static void assertRefused(UNetConfig config, String option, String value, String message) {
        Map<String, Object> json = new LinkedHashMap<>(config.toJson());
        json.put(option, Json.parseObject("{\"v\": " + value + "}", "test").get("v"));
        UserException refusal = assertThrows(UserException.class, () -> UNetConfig.fromJson(json));
        assertTrue(refusal.getMessage().contains(message), refusal.getMessage());
    }

    /** What diffusers writes for a UNet2DConditionModel of stable diffusion's shape, defaults and all. */
    @Test
    void anOptionMayBeOneForAllLevels() {
        UNetConfig config = parse("""
            {"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.33.0", "act_fn": "silu",
             "addition_embed_type": null, "addition_embed_type_num_heads": 64, "addition_time_embed_dim": null,
             "attention_head_dim": 8, "attention_type": "default", "block_out_channels": [32, 64],
             "center_input_sample": false, "class_embed_type": null, "class_embeddings_concat": false,
             "conv_in_kernel": 3, "conv_out_kernel": 3, "cross_attention_dim": 768, "cross_attention_norm": null,
             "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"], "downsample_padding": 1, "dropout": 0.0,
             "dual_cross_attention": false, "encoder_hid_dim": null, "encoder_hid_dim_type": null,
             "flip_sin_to_cos": true, "freq_shift": 0, "in_channels": 4, "layers_per_block": 2,
             "mid_block_only_cross_attention": null, "mid_block_scale_factor": 1,
             "mid_block_type": "UNetMidBlock2DCrossAttn", "norm_eps": 1e-05, "norm_num_groups": 32,
             "num_attention_heads": null, "num_class_embeds": null, "only_cross_attention": false,
             "out_channels": 4, "projection_class_embeddings_input_dim": null, "resnet_out_scale_factor": 1.0,
             "resnet_skip_time_act": false, "resnet_time_scale_shift": "default",
             "reverse_transformer_layers_per_block": null, "sample_size": 8, "sapwood_class_tokens": 4,
             "sapwood_classes": 3, "time_cond_proj_dim": null, "time_embedding_act_fn": null,
             "time_embedding_dim": null, "time_embedding_type": "positional", "timestep_post_act": null,
             "transformer_layers_per_block": 2, "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
             "upcast_attention": false, "use_linear_projection": false}
            """);
        assertEquals(
                new TransformerConfig(4, 768, List.of(8, 8), List.of(2, 2), List.of(false, false), false, false),
                config.transformer());
        assertEquals(2 * (2 + 1 + 3), new UNet(config).transformerBlocks().size());
    }

    @Test
    void theFileIsNamedInTheRefusal(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("config.json");
        Files.writeString(file, DdpmConfigs.cifar10Json().replace("\"silu\"", "\"mish\""));
        UserException refusal = assertThrows(UserException.class, () -> UNetConfig.read(file));
        assertTrue(
                refusal.getMessage().startsWith(file + ": ")
                        && refusal.getMessage().contains("act_fn = mish"),
                refusal.getMessage());
    }
}
