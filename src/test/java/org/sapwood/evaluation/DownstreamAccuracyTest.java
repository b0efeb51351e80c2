package org.sapwood.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.sapwood.data.Glyphs;
import org.sapwood.data.ImageSet;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;
import org.sapwood.nn.ClassifierArchitecture;
import org.sapwood.tensor.Backends;

class DownstreamAccuracyTest {
    private static final ImageSet SYNTHETIC = Glyphs.generate(Glyphs.Half.SENSITIVE, 600, 3);
    private static final ImageSet TEST = Glyphs.generate(Glyphs.Half.SENSITIVE, 300, 4);

    @Test
    void aSetCollapsedToOneClassIsWorthAGuess() {
        int[] threes = IntStream.range(0, SYNTHETIC.size())
                .filter(i -> SYNTHETIC.label(i) == 3)
                .toArray();
        DownstreamAccuracy accuracy = measure(SYNTHETIC.select(threes), TEST, 20);
        assertEquals(0.1, accuracy.mean(), 1e-12);
        assertEquals(1, accuracy.runs().getFirst().heldOutAccuracy(), "choosing by itself it looks perfect");
    }

    /** Another test set changes what is measured, and nothing about how the classifier was made. */
    @Test
    void theTestSetHasNoPartInTrainingOrChoice() {
        DownstreamAccuracy.Run run = measure(SYNTHETIC, TEST, 20).runs().getFirst();
        int[] wrong = TEST.labels();
        for (int i = 0; i < wrong.length; i++) {
            wrong[i] = (wrong[i] + 1) % TEST.classCount();
        }
        ImageSet mislabelled = relabelled(TEST, wrong, TEST.classNames());
        DownstreamAccuracy.Run other =
                measure(SYNTHETIC, mislabelled, 20).runs().getFirst();
        assertEquals(run.chosenStep(), other.chosenStep());
        assertEquals(run.heldOutAccuracy(), other.heldOutAccuracy());
        assertNotEquals(run.testAccuracy(), other.testAccuracy());
    }

    @Test
    void classesAreMatchedByName() {
        List<String> reversed = SYNTHETIC.classNames().reversed();
        int[] labels = SYNTHETIC.labels();
        for (int i = 0; i < labels.length; i++) {
            labels[i] = reversed.size() - 1 - labels[i];
        }
        ImageSet aligned = SameClasses.align(relabelled(SYNTHETIC, labels, reversed), TEST);
        assertEquals(TEST.classNames(), aligned.classNames());
        for (int i = 0; i < aligned.size(); i++) {
            assertEquals(SYNTHETIC.label(i), aligned.label(i));
        }
        assertEquals(SYNTHETIC.bytes(17)[400], aligned.bytes(17)[400]);
    }

    @Test
    void setsThatDoNotFitAreRefused() {
        ImageSet letters = Glyphs.generate(Glyphs.Half.PUBLIC, 40, 1);
        UserException classes = assertThrows(UserException.class, () -> SameClasses.align(letters, TEST));
        assertTrue(classes.getMessage().contains("that the test images lack"), classes.getMessage());
        ImageSet small = ImageSet.of(8, 8, 1, new byte[64], new int[1], TEST.classNames());
        UserException size = assertThrows(UserException.class, () -> SameClasses.align(small, TEST));
        assertTrue(size.getMessage().contains("8x8x1"), size.getMessage());
    }

    @Test
    void meanAndSampleStandardDeviation() {
        DownstreamAccuracy accuracy = new DownstreamAccuracy(List.of(
                run(ClassifierArchitecture.CNN, 1, 0.80),
                run(ClassifierArchitecture.CNN, 2, 0.82),
                run(ClassifierArchitecture.CNN, 3, 0.84)));
        assertEquals(0.82, accuracy.mean(), 1e-12);
        assertEquals(0.02, accuracy.standardDeviation(), 1e-12);
        DownstreamAccuracy single = new DownstreamAccuracy(accuracy.runs().subList(0, 1));
        assertEquals(0, single.standardDeviation());
    }

    /** The deviation is over seeds: that one network is better than another does not count as chance. */
    @Test
    void architecturesAreAveragedBeforeTheDeviation() {
        DownstreamAccuracy accuracy = new DownstreamAccuracy(List.of(
                run(ClassifierArchitecture.CNN, 1, 0.80),
                run(ClassifierArchitecture.CNN, 2, 0.84),
                run(ClassifierArchitecture.WRN, 1, 0.90),
                run(ClassifierArchitecture.WRN, 2, 0.90)));
        assertEquals(0.86, accuracy.mean(), 1e-12);
        assertEquals(0.01 * Math.sqrt(2), accuracy.standardDeviation(), 1e-12);
        Map<ClassifierArchitecture, DownstreamAccuracy> parts = accuracy.byArchitecture();
        assertEquals(List.of(ClassifierArchitecture.CNN, ClassifierArchitecture.WRN), List.copyOf(parts.keySet()));
        assertEquals(
                0.82,
                Objects.requireNonNull(parts.get(ClassifierArchitecture.CNN)).mean(),
                1e-12);
        String json = Json.pretty(accuracy.toJson());
        assertTrue(json.contains("WideResNet-10-2") && json.contains("\"wrn\""), json);
    }

    @Test
    void everyArchitectureIsTrainedWithEverySeed() {
        EvaluationOptions options = new EvaluationOptions(
                ClassifierTrainingOptions.standard().withSteps(1),
                List.of(ClassifierArchitecture.RESNET, ClassifierArchitecture.CNN),
                List.of(4L, 5L),
                false);
        List<String> progress = new ArrayList<>();
        try (Workers workers = new Workers(Backends.choose(), 2)) {
            List<String> made = DownstreamAccuracy.measure(
                            SYNTHETIC.subset(0, 50), TEST.subset(0, 20), options, workers, progress::add)
                    .runs()
                    .stream()
                    .map(run -> run.architecture().id() + run.seed())
                    .toList();
            assertEquals(List.of("resnet4", "resnet5", "cnn4", "cnn5"), made);
        }
        assertEquals(2, progress.size());
        List<ClassifierArchitecture> twice = List.of(ClassifierArchitecture.CNN, ClassifierArchitecture.CNN);
        assertThrows(
                IllegalArgumentException.class,
                () -> new EvaluationOptions(options.training(), twice, List.of(1L), false));
    }

    private static DownstreamAccuracy.Run run(ClassifierArchitecture architecture, long seed, double testAccuracy) {
        return new DownstreamAccuracy.Run(architecture, seed, 10, 0.9, testAccuracy);
    }

    private static ImageSet relabelled(ImageSet images, int[] labels, List<String> names) {
        byte[] pixels = new byte[images.size() * images.imageLength()];
        for (int i = 0; i < images.size(); i++) {
            System.arraycopy(images.bytes(i), 0, pixels, i * images.imageLength(), images.imageLength());
        }
        return ImageSet.of(images.height(), images.width(), images.channels(), pixels, labels, names);
    }

    private static DownstreamAccuracy measure(ImageSet training, ImageSet test, int steps) {
        try (Workers workers = new Workers(Backends.choose(), 2)) {
            EvaluationOptions options =
                    new EvaluationOptions(ClassifierTrainingOptions.standard().withSteps(steps), List.of(9L), false);
            return DownstreamAccuracy.measure(training, test, options, workers, line -> {});
        }
    }
}
