package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.data.ImageSet;
import org.sapwood.data.ImageSets;
import org.sapwood.data.ReadOptions;
import org.sapwood.io.Json;
import org.sapwood.nn.GanConfig;
import org.sapwood.nn.GanGenerator;

/** {@code sample} of a GAN: one pass per image, so what shapes the passes of a diffusion model is refused. */
class SampleGanTest {
    private static final GanConfig CONFIG = new GanConfig(8, 1, 3, 4, 16, 4, 4, 4);

    @TempDir
    private Path folder;

    private Path weights = Path.of("");

    @BeforeEach
    void writeModel() throws IOException {
        GanGenerator generator = new GanGenerator(CONFIG);
        generator.initialize(RandomSource.XO_SHI_RO_256_PP.create(1));
        weights = folder.resolve("model.safetensors");
        generator.write(weights);
        Files.writeString(folder.resolve("config.json"), Json.pretty(CONFIG.toJson()));
    }

    @Test
    void drawsImagesOfEveryClass() {
        Run run = Run.of("sample --count 6 --sampling-batch 4 --seed 3 --quiet --model", weights, "--out", out());
        assertEquals(0, run.code(), run.err());
        ImageSet drawn = ImageSets.open(out().resolve("images"), ReadOptions.asStored());
        assertEquals(6, drawn.size());
        assertEquals(3, drawn.classCount());
    }

    @ParameterizedTest
    @CsvSource({"--sampler, ddim", "--sampling-steps, 5", "--guidance-scale, 1"})
    void optionsOfDiffusionModelsAreRefused(String option, String value) {
        Run.of("sample --count 6 --quiet", option, value, "--model", weights, "--out", out())
                .failed(2, option + " is for diffusion models, but this model is a GAN; leave it out");
        assertFalse(Files.exists(out()));
    }

    private Path out() {
        return folder.resolve("drawn");
    }
}
