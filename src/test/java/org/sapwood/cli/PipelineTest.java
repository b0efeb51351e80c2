package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.data.ImageSet;
import org.sapwood.data.ImageSets;
import org.sapwood.data.ReadOptions;
import org.sapwood.io.Json;
import org.sapwood.io.Safetensors;

/** The main job on a model of a few thousand weights and 20 images of 8×8. */
class PipelineTest {
    /** Every image in every batch: the noise of the Gaussian mechanism is found without a long search. */
    private static final String TINY_RUN = " --size 8 --batch 20 --steps 2 --threads 2 --quiet --json";

    @TempDir
    static Path shared;

    private static Path images;
    private static Path publicModel;

    @TempDir
    Path folder;

    @BeforeAll
    static void pretrainATinyModel() throws IOException {
        images = shared.resolve("digits");
        assertEquals(0, Run.of("glyphs --count 20 --out", images).code());
        Path config = Files.writeString(shared.resolve("tiny.json"), Json.pretty(TinyModel.CONFIG.toJson()));
        publicModel = shared.resolve("exported");
        Path run = shared.resolve("pretrained");
        Map<String, Object> json = Run.of(
                        "pretrain --size 8 --steps 2 --batch 4 --seed 3 --quiet --json",
                        "--data",
                        images,
                        "--config",
                        config,
                        "--out",
                        run,
                        "--export",
                        publicModel)
                .json();
        assertEquals(run.resolve("checkpoint-2.safetensors").toString(), json.get("checkpoint"));
    }

    private Run train(String options) {
        return Run.of(
                "train --data",
                images,
                "--public-model",
                publicModel,
                "--out",
                folder.resolve("run"),
                options + TINY_RUN);
    }

    @Test
    void pretrainingLeavesAModelAndItsHalfSizedExport() throws IOException {
        Path run = shared.resolve("pretrained");
        for (String file : List.of("run.json", "config.json", "metrics.json", "report.html", "samples/grid.png")) {
            assertTrue(Files.size(run.resolve(file)) > 0, file);
        }
        Path full = run.resolve("checkpoint-2.safetensors");
        Path half = publicModel.resolve("model.safetensors");
        assertEquals(
                Safetensors.read(full).tensors().keySet(),
                Safetensors.read(half).tensors().keySet());
        assertTrue(Files.size(half) < 0.7 * Files.size(full), Files.size(half) + " and " + Files.size(full));
    }

    @Test
    void aPrivateRunSpendsNoMoreThanItsTargetAndResumeSpendsNothingMore() {
        Map<String, Object> json =
                train("--method dp-lora --epsilon 8 --delta 1e-3").json();
        double epsilon = Json.number(json.get("epsilon"), "epsilon");
        assertTrue(epsilon > 7.9 && epsilon <= 8, "epsilon " + epsilon);
        assertEquals(1e-3, json.get("delta"));

        Path run = folder.resolve("run");
        Map<String, Object> ledger = Json.readObject(run.resolve("privacy.json"));
        assertEquals("secure", ledger.get("randomness"));
        assertTrue(Files.exists(run.resolve("checkpoint-2.safetensors")));

        Map<String, Object> resumed = Run.of("resume --quiet --json", run).json();
        assertEquals(epsilon, resumed.get("epsilon"));
        assertEquals(
                ledger.get("events"),
                Json.readObject(run.resolve("privacy.json")).get("events"));
    }

    @Test
    void selectionIsChargedBesideTraining() throws IOException {
        Map<String, Object> json = train("--method dp-sapf --epsilon 8 --delta 1e-2 --selection-noise 2 --seed 5")
                .json();
        assertTrue(Json.number(json.get("epsilon"), "epsilon") <= 8);
        Path run = folder.resolve("run");
        String ledger = Files.readString(run.resolve("privacy.json"));
        assertTrue(ledger.contains("\"selection\"") && ledger.contains("\"training\""), ledger);
        assertTrue(ledger.contains("seeded, not private"), ledger);
        assertTrue(Files.readString(run.resolve("report.html")).contains("NOT PRIVATE"));
    }

    @Test
    void aNonPrivateRunSaysSo() throws IOException {
        Map<String, Object> json = train("--method non-private").json();
        assertEquals("Infinity", json.get("epsilon"));
        Path run = folder.resolve("run");
        assertTrue(Files.readString(run.resolve("report.html")).contains("NOT PRIVATE"));
        assertTrue(Files.readString(run.resolve("privacy.json")).contains("must not be released"));
    }

    @Test
    void sampleAndEvaluateFillTheRunFolder() throws IOException {
        train("--method dp-lora --epsilon 8 --delta 1e-3 --selection all --no-train-label-embedding")
                .json();
        Path run = folder.resolve("run");
        Run.of("evaluate --test", images, "--run", run).failed(1, "sapwood sample --run");

        String sample = "sample --count 20 --sampling-steps 2 --guidance-scale 2 --seed 9 --quiet --json --run";
        Map<String, Object> sampled = Run.of(sample, run).json();
        assertEquals(9, sampled.get("seed"));
        ImageSet drawn = ImageSets.open(run.resolve("samples/images"), ReadOptions.asStored());
        assertEquals(20, drawn.size());
        assertEquals(ImageSets.open(images, ReadOptions.asStored()).classNames(), drawn.classNames());
        Run.of(sample, run).failed(1, "is not empty; delete it or choose another folder");

        Path features = folder.resolve("features.safetensors");
        Map<String, Object> measured = Run.of(
                        "evaluate --classifier-steps 2 --classifier-seeds 1 --feature-steps 2 --quiet --json --test",
                        images,
                        "--run",
                        run,
                        "--public",
                        images,
                        "--feature-model",
                        features)
                .json();
        assertEquals(20, measured.get("synthetic_images"));
        assertTrue(measured.containsKey("fidelity") && measured.containsKey("non_private_reference_accuracy"));
        assertTrue(Files.exists(features));
        Map<String, Object> metrics = Json.readObject(run.resolve("metrics.json"));
        assertTrue(metrics.containsKey("training"), "the training section is kept: " + metrics.keySet());
        assertEquals(measured, metrics.get("evaluation"));
        assertTrue(Files.readString(run.resolve("report.html")).contains("downstream accuracy"));
    }

    @Test
    void samplesOfAModelFollowTheSeed() throws IOException {
        for (String name : List.of("a", "b")) {
            Run.of(
                            "sample --count 3 --sampling-steps 2 --seed 4 --quiet --json --model",
                            publicModel,
                            "--out",
                            folder.resolve(name))
                    .json();
        }
        try (Stream<Path> files = Files.walk(folder.resolve("a"))) {
            List<Path> all = files.filter(Files::isRegularFile).toList();
            assertEquals(4, all.size());
            for (Path file : all) {
                Path other = folder.resolve("b").resolve(folder.resolve("a").relativize(file));
                assertEquals(-1, Files.mismatch(file, other), () -> file + " differs");
            }
        }
        Run.of("sample --model", publicModel).failed(2, "--out is required with --model");
        Run.of("sample --count 0 --model", publicModel).failed(2, "--count must be >= 1, got 0");
    }

    @Test
    void aRunFolderIsNeverOverwritten() {
        train("--method dp-lora --epsilon 8 --delta 1e-3").json();
        train("--method dp-lora --epsilon 8").failed(1, "is not empty", "sapwood resume");
    }

    @Test
    void resumeRefusesWhatIsNoRun() {
        Run.of("resume", folder).failed(1, "is not the folder of a run");
        assertFalse(Files.exists(folder.resolve("run.json")));
    }
}
