package org.sapwood.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
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
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.UserException;

/** Folders as diffusers writes them, and as it wrote them when google/ddpm-cifar10-32 and its like were published. */
class ModelFolderTest {
    /** Of google/ddpm-cat-256. */
    private static final String SCHEDULER = """
        {"_class_name": "DDPMScheduler", "_diffusers_version": "0.1.1", "beta_end": 0.02, "beta_schedule": "linear",
         "beta_start": 0.0001, "clip_sample": true, "num_train_timesteps": 1000, "trained_betas": null,
         "variance_type": "fixed_small"}
        """;

    @TempDir
    private Path folder;

    /** The shape of google/ddpm-cifar10-32 with few channels. */
    private static UNetConfig small() {
        Map<String, Object> json = new LinkedHashMap<>(DdpmConfigs.cifar10().toJson());
        json.put("block_out_channels", List.of(4, 8, 8, 8));
        json.put("norm_num_groups", 2);
        return UNetConfig.fromJson(json);
    }

    /** Writes a model with the names of the first releases of diffusers. */
    private static UNet write(Path where) throws IOException {
        Files.createDirectories(where);
        UNet model = TinyUNets.random(small(), 6);
        SafetensorsWriter writer = new SafetensorsWriter();
        writer.metadata("format", "pt");
        for (Parameter parameter : model.parameters().all()) {
            String name = parameter.name();
            if (UNet.inAttention(name)) {
                name = name.replace(".to_q.", ".query.")
                        .replace(".to_k.", ".key.")
                        .replace(".to_v.", ".value.")
                        .replace(".to_out.0.", ".proj_attn.");
            }
            Weights.put(writer, name, parameter, parameter.value().toArray());
        }
        writer.write(where.resolve("diffusion_pytorch_model.safetensors"));
        Files.writeString(where.resolve("config.json"), Json.pretty(small().toJson()));
        return model;
    }

    private static void assertSameWeights(UNet expected, UNet actual) {
        for (Parameter parameter : expected.parameters().all()) {
            Parameter other = actual.parameters().find(parameter.name());
            assertNotNull(other, parameter.name());
            assertArrayEquals(parameter.value().toArray(), other.value().toArray(), parameter.name());
        }
    }

    @Test
    void aFolderOfTheFirstReleasesIsRead() throws Exception {
        UNet written = write(folder);
        Files.writeString(folder.resolve("scheduler_config.json"), SCHEDULER);
        ModelFolder.Loaded loaded = ModelFolder.find(folder).load();
        assertEquals(small(), loaded.unet().config());
        assertSameWeights(written, loaded.unet());
        assertEquals("linear", loaded.metadata().get(ModelFolder.NOISE_SCHEDULE));
        assertEquals(loaded.metadata(), ModelFolder.find(folder).metadata());
    }

    @Test
    void aPipelineKeepsItsSchedulerBesideTheUNet() throws Exception {
        UNet written = write(folder.resolve("unet"));
        Files.createDirectory(folder.resolve("scheduler"));
        Files.writeString(
                folder.resolve("scheduler/scheduler_config.json"),
                SCHEDULER.replace("\"linear\"", "\"squaredcos_cap_v2\"").replace("1000", "4000"));
        ModelFolder.Loaded loaded = ModelFolder.find(folder).load();
        assertSameWeights(written, loaded.unet());
        assertEquals("cosine:4000", loaded.metadata().get(ModelFolder.NOISE_SCHEDULE));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"beta_end\": 0.02|\"beta_end\": 0.012|option beta_end = 0.012 is not supported, only 0.02",
                "\"beta_start\": 0.0001|\"beta_start\": 0.00085|option beta_start = 8.5E-4 is not supported",
                "\"num_train_timesteps\": 1000|\"num_train_timesteps\": 500|option num_train_timesteps = 500 is not",
                "\"linear\"|\"scaled_linear\"|option beta_schedule = scaled_linear is not supported, only linear and",
                "\"beta_schedule\": \"linear\"|\"sigma_max\": 1348|option beta_schedule = none is not supported",
                "\"trained_betas\": null|\"trained_betas\": [0.1]|option trained_betas is not supported",
                "\"clip_sample\": true|\"prediction_type\": \"v_prediction\"|option prediction_type = v_prediction is"
                        + " not supported, only epsilon",
                "\"clip_sample\": true|\"rescale_betas_zero_snr\": true|option rescale_betas_zero_snr = true is not",
            })
    void whatAModelWasNotTrainedForIsRefused(String option, String other, String message) throws Exception {
        write(folder);
        Path scheduler = folder.resolve("scheduler_config.json");
        Files.writeString(scheduler, SCHEDULER.replace(option, other));
        ModelFolder model = ModelFolder.find(folder);
        UserException refusal = assertThrows(UserException.class, model::load);
        assertTrue(
                refusal.getMessage().startsWith(scheduler + ": ")
                        && refusal.getMessage().contains(message),
                refusal.getMessage());
    }

    @Test
    void picklesAreRefused() throws Exception {
        Files.createFile(folder.resolve("diffusion_pytorch_model.bin"));
        UserException refusal = assertThrows(UserException.class, () -> ModelFolder.find(folder));
        assertTrue(refusal.getMessage().contains("convert it to safetensors"), refusal.getMessage());
    }

    @Test
    void aModelIsFoundByItsFileToo() throws Exception {
        UNet written = write(folder);
        Path file = folder.resolve("diffusion_pytorch_model.safetensors");
        assertSameWeights(written, ModelFolder.find(file).load().unet());
        Files.delete(folder.resolve("config.json"));
        UserException refusal = assertThrows(UserException.class, () -> ModelFolder.find(file));
        assertTrue(refusal.getMessage().contains("needs its config.json"), refusal.getMessage());
    }
}
