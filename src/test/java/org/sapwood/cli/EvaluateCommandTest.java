package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.data.ImageSource;
import org.sapwood.data.ReadOptions;
import org.sapwood.evaluation.DownstreamAccuracy;
import org.sapwood.evaluation.EvaluationReport;
import org.sapwood.evaluation.Fidelity;
import org.sapwood.evaluation.PrecisionRecall;
import org.sapwood.io.Json;
import org.sapwood.nn.ClassifierArchitecture;

class EvaluateCommandTest {
    private static final String QUICK =
            "evaluate --classifier-steps 1 --classifier-seeds 1 --no-reference --quiet --json";

    @TempDir
    static Path shared;

    private static Path images;

    @TempDir
    Path folder;

    @BeforeAll
    static void makeImages() {
        images = shared.resolve("digits");
        assertEquals(0, Run.of("glyphs --count 20 --out", images).code());
    }

    /** A run with samples as far as the evaluation is concerned. */
    private Path run() throws IOException {
        Path run = Files.createDirectories(folder.resolve("run"));
        Map<String, Object> data = new ImageSource(List.of(images.toString()), ReadOptions.asStored()).toJson();
        Map<String, Object> json = Map.of("command", "train", "private", true, "options", Map.of("data", data));
        Files.writeString(run.resolve("run.json"), Json.pretty(json));
        Path samples = run.resolve("samples/images");
        assertEquals(0, Run.of("glyphs --count 20 --out", samples).code());
        return run;
    }

    @Test
    void theCheckForMemorisedImagesIsPrintedButNeverStored() throws IOException {
        Path run = run();
        Path sheet = folder.resolve("closest.png");
        Map<String, Object> json = Run.of(
                        QUICK + " --nearest-training-images --nearest-sheet", sheet, "--run", run, "--test", images)
                .json();
        assertTrue(Json.line(json.get("nearest_training_images")).contains("NOT PRIVATE"));
        assertTrue(Files.size(sheet) > 1000);
        try (Stream<Path> files = Files.walk(run)) {
            for (Path file : files.filter(f -> f.toString().matches(".*\\.(json|html|jsonl)"))
                    .toList()) {
                assertFalse(Files.readString(file).toLowerCase(Locale.ROOT).contains("nearest"), file.toString());
            }
        }
        assertTrue(Json.readObject(run.resolve("metrics.json")).containsKey("evaluation"));

        Map<String, Object> plain =
                Run.of(QUICK + " --run", run, "--test", images).json();
        assertFalse(plain.containsKey("nearest_training_images"), "off by default");
    }

    @Test
    void aSheetNeedsTheCheckAndAPlaceOutsideTheRun() throws IOException {
        Path run = run();
        String quick = "evaluate --test x --run";
        Run.of(quick, run, "--nearest-sheet", folder.resolve("a.png"))
                .failed(2, "--nearest-sheet shows private images and needs --nearest-training-images");
        Run.of(quick, run, "--nearest-training-images --nearest-sheet", run.resolve("samples/../a.png"))
                .failed(2, "lies in the folder of the run, but shows private images");
        Run.of(quick, run, "--nearest-training-images --nearest-sheet", folder.resolve("none/a.png"))
                .failed(2, "does not exist; make it first");
        assertFalse(Files.exists(run.resolve("metrics.json")));
    }

    @Test
    void severalArchitecturesAreMeasuredAndNamed() {
        Run.of(QUICK + " --architectures cnn,vgg --test x --train x --synthetic x")
                .failed(2, "expected one of cnn, resnet, wrn, got 'vgg'");
        Run.of(QUICK + " --architectures cnn,cnn --test x --train x --synthetic x")
                .failed(2, "names a network twice");
        Map<String, Object> json = Run.of(
                        QUICK + " --architectures resnet,cnn --synthetic", images, "--train", images, "--test", images)
                .json();
        String accuracy = Json.line(json.get("downstream_accuracy"));
        assertTrue(accuracy.contains("\"resnet\":{") && accuracy.contains("\"cnn\":{"), accuracy);
    }

    @Test
    void inceptionIsASpaceOfItsOwn() throws IOException {
        Path file = Files.writeString(folder.resolve("weights.safetensors"), "no weights");
        Run.of("evaluate --test x --train x --synthetic x --public y --inception", file)
                .failed(2, "--inception is a feature space of its own");
        Run.of(QUICK + " --inception", file, "--synthetic", images, "--train", images, "--test", images)
                .failed(1, "weights.safetensors");
    }

    @Test
    void onlyAnInceptionDistanceIsCalledFid() {
        String inception = String.join("\n", EvaluateCommand.text(report("FID", 2048, 2048)));
        assertTrue(
                inception.contains(
                        "FID                    12.50 (real test images: 3.25), too large: 2048 features need more images"),
                inception);
        String classifier = String.join("\n", EvaluateCommand.text(report("Fréchet distance", 64, 65)));
        assertTrue(classifier.contains("Fréchet distance       12.50 (real test images: 3.25)\n"), classifier);
        assertFalse(classifier.contains("FID"), classifier);
        assertTrue(classifier.contains("downstream accuracy    75.0 %, mean of 2 networks trained on 9"), classifier);
        assertTrue(classifier.contains("  ResNet-14            80.0 % (90.0, 70.0)"), classifier);
    }

    private static EvaluationReport report(String distance, int features, int fewest) {
        DownstreamAccuracy accuracy = new DownstreamAccuracy(List.of(
                new DownstreamAccuracy.Run(ClassifierArchitecture.CNN, 1, 10, 1, 0.6),
                new DownstreamAccuracy.Run(ClassifierArchitecture.CNN, 2, 10, 1, 0.8),
                new DownstreamAccuracy.Run(ClassifierArchitecture.RESNET, 1, 10, 1, 0.9),
                new DownstreamAccuracy.Run(ClassifierArchitecture.RESNET, 2, 10, 1, 0.7)));
        Fidelity fidelity =
                new Fidelity("a space", distance, features, fewest, 12.5, 3.25, new PrecisionRecall(0.5, 0.25, 9));
        return new EvaluationReport(9, accuracy, Optional.empty(), Optional.of(fidelity));
    }
}
