package org.sapwood.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.data.Glyphs;
import org.sapwood.data.ImageSet;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;
import org.sapwood.nn.ClassifierFile;
import org.sapwood.tensor.Backends;

class EvaluationTest {
    private static final ImageSet LETTERS = Glyphs.generate(Glyphs.Half.PUBLIC, 320, 1);
    private static final ImageSet REAL = Glyphs.generate(Glyphs.Half.SENSITIVE, 300, 1);
    private static final ImageSet REAL_TEST = Glyphs.generate(Glyphs.Half.SENSITIVE, 200, 2);
    private static final ImageSet GOOD = Glyphs.generate(Glyphs.Half.SENSITIVE, 300, 3);
    private static final ClassifierTrainingOptions SHORT =
            ClassifierTrainingOptions.standard().withSteps(20);

    private static Workers workers;
    private static FeatureModel model;

    @BeforeAll
    static void trainFeatures() {
        workers = new Workers(Backends.choose(), 2);
        model = FeatureModel.train(LETTERS, "the public glyphs", SHORT, 1, workers);
    }

    @AfterAll
    static void stop() {
        workers.close();
    }

    @Test
    void reportHasAFixedOrderAndSaysItIsNotPrivate() {
        EvaluationOptions options = new EvaluationOptions(SHORT, List.of(1L), true);
        List<String> progress = new ArrayList<>();
        EvaluationReport report =
                Evaluation.run(GOOD, REAL, REAL_TEST, Optional.of(model), options, workers, progress::add);
        Map<String, Object> json = report.toJson();
        assertEquals(
                List.of(
                        "notice",
                        "covered_by_privacy_guarantee",
                        "synthetic_images",
                        "downstream_accuracy",
                        "non_private_reference_accuracy",
                        "fidelity"),
                List.copyOf(json.keySet()));
        assertEquals(false, json.get("covered_by_privacy_guarantee"));
        String text = Json.pretty(json);
        assertTrue(text.contains("trained on the public glyphs"), text);
        assertTrue(!text.contains("FID") && !text.contains("\"NaN\""), text);
        assertEquals(3, progress.size());

        EvaluationReport again =
                Evaluation.run(GOOD, REAL, REAL_TEST, Optional.of(model), options, workers, progress::add);
        assertEquals(text, Json.pretty(again.toJson()));
    }

    @Test
    void referenceAndFidelityCanBeLeftOut() {
        EvaluationOptions options = new EvaluationOptions(SHORT.withSteps(1), List.of(1L), false);
        Map<String, Object> json = Evaluation.run(GOOD, REAL, REAL_TEST, Optional.empty(), options, workers, line -> {})
                .toJson();
        assertEquals(
                List.of("notice", "covered_by_privacy_guarantee", "synthetic_images", "downstream_accuracy"),
                List.copyOf(json.keySet()));
    }

    @Test
    void fidelityTellsNoiseFromDigits() {
        Fidelity good = Fidelity.measure(model, GOOD, REAL, REAL_TEST, workers);
        byte[] noise = new byte[100 * 28 * 28];
        for (int i = 0; i < noise.length; i++) {
            noise[i] = (byte) ((i * 2654435761L) >>> 16);
        }
        ImageSet bad = ImageSet.of(28, 28, 1, noise, new int[100], REAL.classNames());
        Fidelity poor = Fidelity.measure(model, bad, REAL, REAL_TEST, workers);
        assertTrue(good.precisionRecall().precision() > 0.6, good.toString());
        assertTrue(good.precisionRecall().recall() > 0.6, good.toString());
        assertTrue(poor.precisionRecall().precision() < 0.3, poor.toString());
        assertTrue(poor.precisionRecall().recall() < 0.05, poor.toString());
        assertTrue(poor.frechetDistance() > 10 * good.frechetDistance(), good + " " + poor);
        assertEquals(good.realTestFrechetDistance(), poor.realTestFrechetDistance());
    }

    @Test
    void anImagesFeaturesDoNotDependOnItsNeighbours() {
        Features all = model.features(REAL, workers);
        Features some = model.features(REAL.subset(70, 75), workers);
        assertArrayEquals(all.select(new int[] {70, 71, 72, 73, 74}).values(), some.values());
    }

    @Test
    void featureModelSurvivesAFile(@TempDir Path folder) {
        Path file = folder.resolve("features.safetensors");
        model.write(file);
        FeatureModel read = FeatureModel.read(file);
        assertEquals(model.description(), read.description());
        assertArrayEquals(
                model.features(REAL, workers).values(),
                read.features(REAL, workers).values());
    }

    @Test
    void otherFilesAndOtherSizesAreRefused(@TempDir Path folder) {
        Path file = folder.resolve("other.safetensors");
        new ClassifierFile(model.classifier(), Map.of()).write(file);
        UserException unnamed = assertThrows(UserException.class, () -> FeatureModel.read(file));
        assertTrue(unnamed.getMessage().contains("is no feature model"), unnamed.getMessage());
        ImageSet colour = ImageSet.of(28, 28, 3, new byte[28 * 28 * 3], new int[1], List.of("a"));
        UserException size = assertThrows(UserException.class, () -> model.features(colour, workers));
        assertTrue(size.getMessage().contains("28x28x3"), size.getMessage());
    }
}
