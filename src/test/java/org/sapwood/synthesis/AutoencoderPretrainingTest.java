package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.data.ImageSource;
import org.sapwood.data.ReadOptions;
import org.sapwood.io.Json;
import org.sapwood.io.RunFolder;
import org.sapwood.io.UserException;
import org.sapwood.nn.Autoencoder;
import org.sapwood.nn.AutoencoderConfig;
import org.sapwood.nn.AutoencoderFolder;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Backends;

class AutoencoderPretrainingTest {
    private static final ImageSource DATA = new ImageSource(List.of("glyphs:public:60:2"), ReadOptions.asStored());
    private static final BackendChoice BACKEND = Backends.choose();

    @TempDir
    private Path temp;

    private AutoencoderOptions options(int steps) {
        Path config = temp.resolve("tiny.json");
        try {
            Files.writeString(config, Json.pretty(TinyAutoencoders.CONFIG.toJson()));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return new AutoencoderOptions(
                DATA, config.toString(), steps, 19, 1e-2, 2, 0.9, 1e-4, new Augmentation(1, false), 4, 5);
    }

    private AutoencoderPretraining.Result start(AutoencoderOptions options, String name, int threads) {
        return AutoencoderPretraining.start(options, temp.resolve(name), BACKEND, threads, ProgressListener.SILENT);
    }

    @Test
    void reconstructionImprovesAndLatentsHaveUnitVariance() {
        AutoencoderPretraining.Result little = start(options(2), "little", 2);
        AutoencoderPretraining.Result more = start(options(30), "more", 2);
        assertTrue(
                more.reconstructionError() < 0.7 * little.reconstructionError(),
                more.reconstructionError() + " after 30 steps, " + little.reconstructionError() + " after 2");

        Autoencoder trained = AutoencoderFolder.find(temp.resolve("more")).load();
        assertEquals(more.scalingFactor(), trained.config().scalingFactor());
        LatentImages latents =
                LatentImages.of("the autoencoder", trained, new PixelImages(DATA.open()), Augmentation.NONE);
        latents.prepare(BACKEND, 1);
        assertEquals(1, latents.standardDeviation(), 1e-4);
        assertEquals(
                more.scalingFactor(),
                AutoencoderConfig.read(temp.resolve("more").resolve("config.json"))
                        .scalingFactor());
    }

    @Test
    void theNumberOfThreadsChangesNoBit() throws IOException {
        start(options(3), "one", 1);
        start(options(3), "three", 3);
        for (String file :
                List.of("checkpoint-3.safetensors", "vae/config.json", "vae/diffusion_pytorch_model.safetensors")) {
            assertArrayEquals(
                    Files.readAllBytes(temp.resolve("one").resolve(file)),
                    Files.readAllBytes(temp.resolve("three").resolve(file)),
                    file);
        }
    }

    /** A killed run has checkpoints but no vae/; it goes on to the weights that it would have reached. */
    @Test
    void aKilledRunGoesOnToTheSameWeights() throws IOException {
        start(options(4), "whole", 1);
        Path killed = temp.resolve("killed");
        assertThrows(
                IllegalStateException.class,
                () -> AutoencoderPretraining.start(options(4), killed, BACKEND, 1, (done, total, epsilon, rate) -> {
                    if (done == 2) {
                        throw new IllegalStateException("killed");
                    }
                }));
        assertFalse(Files.exists(killed.resolve("vae")));
        UserException unfinished = assertThrows(UserException.class, () -> AutoencoderFolder.find(killed));
        assertTrue(unfinished.getMessage().contains("sapwood resume"), unfinished.getMessage());
        RunFolder folder = RunFolder.resume(killed);
        assertTrue(folder.newestCheckpoint().isPresent());
        AutoencoderPretraining.resume(folder, BACKEND, 1, ProgressListener.SILENT);
        for (String file : List.of("vae/config.json", "vae/diffusion_pytorch_model.safetensors")) {
            assertEquals(-1, Files.mismatch(temp.resolve("whole").resolve(file), killed.resolve(file)), file);
        }
    }

    @Test
    void whatDoesNotFitIsRefusedBeforeAnythingIsWritten() {
        AutoencoderOptions colour =
                new AutoencoderOptions(DATA, "kl32-8x4", 1, 1, 1e-3, 0, 0.9, 1e-4, Augmentation.NONE, 0, 1);
        UserException refusal = assertThrows(UserException.class, () -> start(colour, "none", 1));
        assertTrue(
                refusal.getMessage().contains("--config kl32-8x4 is for images of 32x32x3, the data has 28x28x1"),
                refusal.getMessage());
        assertFalse(Files.exists(temp.resolve("none")));
        assertThrows(
                UserException.class,
                () -> new AutoencoderOptions(DATA, "kl28", 1, 1, 1e-3, 0, 0.9, -1, Augmentation.NONE, 0, 1));
    }

    @Test
    void optionsSurviveJson() {
        AutoencoderOptions options = options(7);
        assertEquals(options, AutoencoderOptions.fromJson(options.toJson()));
    }
}
