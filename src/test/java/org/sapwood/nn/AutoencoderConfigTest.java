package org.sapwood.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;

class AutoencoderConfigTest {
    /** As published with Stable Diffusion 1.5, folder {@code vae}. */
    private static final String STABLE_DIFFUSION = """
        {
          "_class_name": "AutoencoderKL",
          "_diffusers_version": "0.6.0",
          "act_fn": "silu",
          "block_out_channels": [128, 256, 512, 512],
          "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
          "in_channels": 3,
          "latent_channels": 4,
          "layers_per_block": 2,
          "norm_num_groups": 32,
          "out_channels": 3,
          "sample_size": 512,
          "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"]
        }
        """;

    private static AutoencoderConfig parse(String json) {
        return AutoencoderConfig.fromJson(Json.parseObject(json, "test"));
    }

    @Test
    void readsAPublishedConfiguration() {
        AutoencoderConfig config = parse(STABLE_DIFFUSION);
        assertEquals(new AutoencoderConfig(512, 3, List.of(128, 256, 512, 512), 2, 4, 32, true, 0.18215), config);
        assertEquals(64, config.latentSize());
        assertEquals(64 * 64 * 4, config.latentLength());
    }

    @Test
    void writesWhatItReads() {
        for (AutoencoderConfig config : List.of(
                AutoencoderConfig.kl28().withScalingFactor(1.0 / 3),
                AutoencoderConfig.kl32To16(),
                AutoencoderConfig.kl32To8(),
                new AutoencoderConfig(8, 1, List.of(6), 3, 5, 2, false, 0.5))) {
            assertEquals(config, parse(Json.pretty(config.toJson())));
        }
    }

    @Test
    void theAttentionInTheMiddleIsAnOption() {
        assertFalse(parse(STABLE_DIFFUSION.replace("\"act_fn\"", "\"mid_block_add_attention\": false, \"act_fn\""))
                .midAttention());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'\"AutoencoderKL\"'|'\"VQModel\"'|_class_name must be AutoencoderKL, got VQModel",
                "'\"act_fn\": \"silu\"'|'\"act_fn\": \"relu\"'|option act_fn = relu is not supported",
                "'\"act_fn\"'|'\"use_quant_conv\": false, \"act_fn\"'|option use_quant_conv = false is not supported",
                "'\"act_fn\"'|'\"shift_factor\": 0.1, \"act_fn\"'|option shift_factor = 0.1 is not supported",
                "'\"out_channels\": 3'|'\"out_channels\": 1'|out_channels must equal in_channels 3, got 1",
                "'\"in_channels\": 3'|'\"in_channels\": 2.5'|option in_channels must be an integer, got 2.5",
                "'[\"UpDecoderBlock2D\", '|'[\"AttnUpDecoderBlock2D\", '|up_block_types must hold UpDecoderBlock2D once",
                "'[128, 256, 512, 512]'|'[128, 256]'|down_block_types must hold DownEncoderBlock2D once per level (2)",
                "'[128, 256, 512, 512]'|'128'|option block_out_channels must be a list, got 128",
                "'\"norm_num_groups\": 32'|'\"norm_num_groups\": 48'|norm_num_groups 48 must divide",
                "'\"sample_size\": 512'|'\"sample_size\": 100'|sample_size must be divisible by 8 for 4 levels, got 100",
                "'\"act_fn\"'|'\"scaling_factor\": 0, \"act_fn\"'|scaling_factor must be > 0, got 0",
                "'\"act_fn\"'|'\"scaling_factor\": \"1\", \"act_fn\"'|option scaling_factor must be a number, got 1",
            })
    void refusesWhatItCannotDoByName(String published, String changed, String message) {
        assertTrue(STABLE_DIFFUSION.contains(published), published);
        UserException refusal =
                assertThrows(UserException.class, () -> parse(STABLE_DIFFUSION.replace(published, changed)));
        assertTrue(refusal.getMessage().contains(message), refusal.getMessage());
        assertTrue(refusal.getMessage().startsWith("autoencoder configuration: "), refusal.getMessage());
    }
}
