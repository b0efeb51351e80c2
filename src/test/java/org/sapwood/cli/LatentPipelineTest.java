package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.data.ImageSet;
import org.sapwood.data.ImageSets;
import org.sapwood.data.ReadOptions;
import org.sapwood.io.Json;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.nn.AutoencoderConfig;
import org.sapwood.nn.TransformerConfig;
import org.sapwood.nn.UNetConfig;

/** The whole path of DP-LDM on 20 images of 8×8: autoencoder, public latent model, private training, samples. */
class LatentPipelineTest {
    /** For latents of 4×4×2: four transformer blocks, one down, one in the middle, two up. */
    private static final UNetConfig UNET = new UNetConfig(
            4,
            2,
            2,
            List.of(8),
            1,
            List.of(true),
            List.of(true),
            true,
            0,
            4,
            1e-5f,
            11,
            true,
            0,
            1,
            new TransformerConfig(2, 8, List.of(2), List.of(1), List.of(false), true, false));

    @TempDir
    static Path shared;

    private static Path images;
    private static Path autoencoder;
    private static Path publicRun;

    @TempDir
    Path folder;

    @BeforeAll
    static void pretrain() throws IOException {
        images = shared.resolve("digits");
        assertEquals(0, Run.of("glyphs --count 20 --out", images).code());
        Path config = shared.resolve("tiny-autoencoder.json");
        Files.writeString(config, Json.pretty(new AutoencoderConfig(8, 1, List.of(4, 4), 1, 2, 2, false, 1).toJson()));
        autoencoder = shared.resolve("autoencoder");
        Map<String, Object> trained = Run.of(
                        "pretrain-autoencoder --size 8 --steps 2 --batch 4 --warm-up 0 --seed 3 --quiet --json --data",
                        images,
                        "--config",
                        config,
                        "--out",
                        autoencoder)
                .json();
        assertTrue(Json.number(trained.get("scaling_factor"), "scaling_factor") > 0);
        Path unet = Files.writeString(shared.resolve("tiny-unet.json"), Json.pretty(UNET.toJson()));
        publicRun = shared.resolve("public");
        Run.of(
                        "pretrain --size 8 --steps 2 --batch 4 --seed 3 --quiet --json --data",
                        images,
                        "--autoencoder",
                        autoencoder,
                        "--config",
                        unet,
                        "--out",
                        publicRun)
                .json();
    }

    private static Run train(Path out, String options) {
        return Run.of(
                "train --method dp-ldm --epsilon 8 --delta 1e-3 --size 8 --batch 20 --steps 2 --threads 2 --quiet --json"
                        + " --data",
                images,
                "--public-model",
                publicRun.resolve("checkpoint-2.safetensors"),
                "--out",
                out,
                options);
    }

    @Test
    void aLatentModelStandsBesideItsAutoencoder() throws IOException {
        assertEquals(UNET, UNetConfig.read(publicRun.resolve("config.json")));
        for (String file : List.of("vae/config.json", "vae/diffusion_pytorch_model.safetensors")) {
            assertEquals(-1, Files.mismatch(autoencoder.resolve(file), publicRun.resolve(file)), file);
        }
        assertTrue(Files.size(publicRun.resolve("samples/grid.png")) > 0);
    }

    @Test
    void privateTrainingChangesTheLastTransformerBlocksAndWhatItDrawsIsImages() throws IOException {
        Path run = folder.resolve("run");
        Map<String, Object> json = train(run, "--first-trained-block 2").json();
        assertTrue(Json.number(json.get("epsilon"), "epsilon") <= 8);
        assertEquals(
                -1,
                Files.mismatch(
                        publicRun.resolve("vae/diffusion_pytorch_model.safetensors"),
                        run.resolve("vae/diffusion_pytorch_model.safetensors")));

        SafetensorsFile before = Safetensors.read(publicRun.resolve("checkpoint-2.safetensors"));
        SafetensorsFile after = Safetensors.read(run.resolve("checkpoint-2.safetensors"));
        boolean changed = false;
        for (String name : after.tensors().keySet()) {
            if (name.equals("class_tokens.weight")) {
                continue;
            }
            boolean same = Arrays.equals(
                    before.require(name).toFloats(), after.require(name).toFloats());
            boolean mayTrain = name.contains(".attentions.");
            assertTrue(same || mayTrain, name + " is frozen and has changed");
            assertTrue(same || name.startsWith("up_blocks."), name + " is below block 2");
            changed |= !same;
        }
        assertTrue(changed, "some transformer block has trained");

        Run.of("sample --count 20 --sampling-steps 2 --seed 9 --quiet --json --run", run)
                .json();
        ImageSet drawn = ImageSets.open(run.resolve("samples/images"), ReadOptions.asStored());
        assertEquals(20, drawn.size());
        assertEquals(8, drawn.height());
        assertEquals(1, drawn.channels());
        assertEquals(ImageSets.open(images, ReadOptions.asStored()).classNames(), drawn.classNames());

        Map<String, Object> resumed = Run.of("resume --quiet --json", run).json();
        assertEquals(json.get("epsilon"), resumed.get("epsilon"));
    }

    @Test
    void withoutConfigTheModelFitsTheLatentsAndItsExportDrawsImages() {
        Path exported = folder.resolve("exported");
        Run.of(
                        "pretrain --size 8 --steps 1 --batch 4 --seed 3 --quiet --json --data",
                        images,
                        "--autoencoder",
                        autoencoder.resolve("vae"),
                        "--out",
                        folder.resolve("again"),
                        "--export",
                        exported)
                .json();
        UNetConfig config = UNetConfig.read(exported.resolve("config.json"));
        assertEquals(UNetConfig.latent(4, 2, config.classes()), config);
        Run.of(
                        "sample --count 2 --sampling-steps 1 --seed 9 --quiet --json --model",
                        exported,
                        "--out",
                        folder.resolve("drawn"))
                .json();
        assertEquals(
                8,
                ImageSets.open(folder.resolve("drawn/images"), ReadOptions.asStored())
                        .height());
    }

    @Test
    void whatCannotBeIsRefusedWithTheFix() {
        Path run = folder.resolve("run");
        train(run, "--shift 1").failed(1, "--shift and --flip change pixels", "augment the images themselves before");
        train(run, "--first-trained-block 99").failed(1, "--first-trained-block must be below");
        assertFalse(Files.exists(run));
        Run.of("pretrain --size 8 --data", images, "--autoencoder", folder, "--out", run)
                .failed(1, "the autoencoder " + folder + " does not exist");
        Run.of("pretrain --data", "glyphs:public:4:1", "--autoencoder", autoencoder, "--out", run)
                .failed(1, "is for images of 8x8x1, the data has 28x28x1", "--size");
    }

    @Test
    void aFinishedAutoencoderIsResumedWithoutFurtherSteps() throws IOException {
        byte[] before = Files.readAllBytes(autoencoder.resolve("vae/diffusion_pytorch_model.safetensors"));
        Map<String, Object> resumed =
                Run.of("resume --quiet --json", autoencoder).json();
        assertEquals(autoencoder.toString(), resumed.get("run"));
        assertEquals(
                -1,
                Arrays.mismatch(
                        before, Files.readAllBytes(autoencoder.resolve("vae/diffusion_pytorch_model.safetensors"))));
    }
}
