package org.sapwood.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.autograd.Parameter;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;

class UNetConfigTest {
    /** As published with diffusers' google/ddpm-cifar10-32. */
    private static final String DDPM_CIFAR10 = """
        {
          "_class_name": "UNet2DModel",
          "_diffusers_version": "0.0.4",
          "act_fn": "silu",
          "attention_head_dim": null,
          "block_out_channels": [128, 256, 256, 256],
          "center_input_sample": false,
          "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"],
          "downsample_padding": 0,
          "flip_sin_to_cos": false,
          "freq_shift": 1,
          "in_channels": 3,
          "layers_per_block": 2,
          "mid_block_scale_factor": 1,
          "norm_eps": 1e-06,
          "norm_num_groups": 32,
          "out_channels": 3,
          "sample_size": 32,
          "time_embedding_type": "positional",
          "up_block_types": ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"]
        }
        """;

    private static UNetConfig parse(String json) {
        return UNetConfig.fromJson(Json.parseObject(json, "test"));
    }

    private static long attentionSize(UNet model) {
        return model.parameters().all().stream()
                .filter(p -> UNet.inAttention(p.name()))
                .mapToLong(Parameter::size)
                .sum();
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
        List<String> names = new UNet(UNetConfig.unet28(11))
                .matrices().keySet().stream().filter(UNet::inAttention).toList();
        assertEquals(16, names.size());
        assertTrue(names.contains("down_blocks.2.attentions.0.to_q.weight"));
        assertTrue(names.contains("up_blocks.0.attentions.1.to_out.0.weight"));
    }

    @Test
    void diffusersDdpmIsAccepted() {
        UNetConfig config = parse(DDPM_CIFAR10);
        assertEquals(0, config.attentionHeadDim());
        assertEquals(256, config.headDim(256));
        assertEquals(1e-6f, config.normEpsilon());
        assertEquals(0, config.classes());
        assertEquals(35_746_307, new UNet(config).parameters().size());
    }

    @Test
    void jsonRoundTrips() {
        for (UNetConfig config : List.of(
                UNetConfig.unet28(11),
                UNetConfig.unet32(5),
                UNetConfig.unet28(11).withClasses(0),
                parse(DDPM_CIFAR10))) {
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
                "_class_name|\"UNet2DConditionModel\"|_class_name must be UNet2DModel, got UNet2DConditionModel",
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
        Map<String, Object> json = new LinkedHashMap<>(UNetConfig.unet28(11).toJson());
        json.put(option, Json.parseObject("{\"v\": " + value + "}", "test").get("v"));
        UserException refusal = assertThrows(UserException.class, () -> UNetConfig.fromJson(json));
        assertTrue(refusal.getMessage().contains(message), refusal.getMessage());
    }

    @Test
    void theFileIsNamedInTheRefusal(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("config.json");
        Files.writeString(file, DDPM_CIFAR10.replace("\"silu\"", "\"mish\""));
        UserException refusal = assertThrows(UserException.class, () -> UNetConfig.read(file));
        assertTrue(
                refusal.getMessage().startsWith(file + ": ")
                        && refusal.getMessage().contains("act_fn = mish"),
                refusal.getMessage());
    }
}
