package org.sapwood.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.data.Glyphs;
import org.sapwood.data.ImageSet;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Backends;

class NearestTrainingImagesTest {
    private static final ImageSet TRAINING = Glyphs.generate(Glyphs.Half.SENSITIVE, 150, 1);
    private static final ImageSet TEST = Glyphs.generate(Glyphs.Half.SENSITIVE, 200, 2);
    private static final ImageSet FRESH = Glyphs.generate(Glyphs.Half.SENSITIVE, 200, 3);

    private static Workers workers;

    @BeforeAll
    static void start() {
        workers = new Workers(Backends.choose(), 2);
    }

    @AfterAll
    static void stop() {
        workers.close();
    }

    private static NearestTrainingImages measure(ImageSet synthetic, ImageSet training, ImageSet test) {
        return NearestTrainingImages.measure(synthetic, training, test, Optional.empty(), workers);
    }

    @Test
    void freshImagesAreAsFarAsTestImages() {
        NearestTrainingImages.Comparison pixels = measure(FRESH, TRAINING, TEST).pixels();
        assertEquals(0.5, pixels.chanceNearer(), 0.08);
        assertTrue(pixels.shareNear() < 0.06, "share " + pixels.shareNear());
        assertEquals(0, pixels.shareIdentical());
    }

    /** Every fourth synthetic image is a training image, one of them changed in one pixel by one. */
    @Test
    void copiesAreFound() {
        int length = TRAINING.imageLength();
        byte[] pixels = new byte[100 * length];
        for (int i = 0; i < 100; i++) {
            byte[] image = i % 4 == 0 ? TRAINING.bytes(149 - i) : FRESH.bytes(i);
            System.arraycopy(image, 0, pixels, i * length, length);
        }
        pixels[8 * length + 300]++;
        ImageSet copied = ImageSet.of(28, 28, 1, pixels, new int[100], TRAINING.classNames());
        NearestTrainingImages.Comparison found = measure(copied, TRAINING, TEST).pixels();
        assertEquals(0.24, found.shareIdentical(), 1e-12);
        assertTrue(found.shareNear() >= 0.25, "share " + found.shareNear());
        assertTrue(found.chanceNearer() > 0.58, "chance " + found.chanceNearer());
        NearestTrainingImages.Pair changed = found.synthetic().get(24);
        assertEquals(new NearestTrainingImages.Pair(8, 141, 1.0 / 255), changed);
        assertEquals(
                List.of(0, 4, 12),
                IntStream.range(0, 3)
                        .mapToObj(i -> found.synthetic().get(i).synthetic())
                        .toList());
    }

    @Test
    void distancesAreThoseOfTheDefinition() {
        Random rng = new Random(5);
        ImageSet some = random(rng, 7);
        ImageSet others = random(rng, 40);
        for (NearestTrainingImages.Pair pair :
                measure(some, others, others).pixels().synthetic()) {
            double least = Double.POSITIVE_INFINITY;
            for (int j = 0; j < others.size(); j++) {
                double sum = 0;
                for (int k = 0; k < some.imageLength(); k++) {
                    double a = (some.bytes(pair.synthetic())[k] & 0xff) / 255.0;
                    double b = (others.bytes(j)[k] & 0xff) / 255.0;
                    sum += (a - b) * (a - b);
                }
                least = Math.min(least, Math.sqrt(sum));
            }
            assertEquals(least, pair.distance(), 1e-12, "seed 5");
        }
    }

    /** Distances 1, 2, 2, 4 against 2, 3: 1 beats both, each 2 ties with one and beats one, 4 beats none. */
    @Test
    void chanceCountsTiesHalf() {
        NearestTrainingImages.Comparison comparison = new NearestTrainingImages.Comparison(
                "a line", List.of(pair(0, 4), pair(1, 2), pair(2, 1), pair(3, 2)), new double[] {2, 3});
        assertEquals((2 + 1.5 + 1.5 + 0) / 8, comparison.chanceNearer(), 1e-15);
        assertEquals(2, comparison.nearDistance());
        assertEquals(0.25, comparison.shareNear());
        assertEquals(
                List.of(2, 1, 3, 0),
                comparison.synthetic().stream()
                        .map(NearestTrainingImages.Pair::synthetic)
                        .toList());
    }

    @Test
    void aFeatureSpaceIsComparedToo() {
        FeatureModel model = FeatureModel.train(
                Glyphs.generate(Glyphs.Half.PUBLIC, 64, 1),
                "letters",
                ClassifierTrainingOptions.standard().withSteps(1),
                1,
                workers);
        NearestTrainingImages nearest =
                NearestTrainingImages.measure(TRAINING.subset(3, 5), TRAINING, TEST, Optional.of(model), workers);
        NearestTrainingImages.Comparison features = nearest.features().orElseThrow();
        assertEquals(1, features.shareIdentical());
        assertEquals(3, features.synthetic().getFirst().training());
        String json = Json.pretty(nearest.toJson());
        assertTrue(json.contains("NOT PRIVATE") && json.contains("\"features\""), json);
    }

    @Test
    void theSheetIsWritten(@TempDir Path folder) {
        Path file = folder.resolve("nearest.png");
        NearestTrainingImages nearest = measure(FRESH.subset(0, 12), TRAINING, TEST);
        NearestSheet.write(file, nearest.pixels().synthetic(), FRESH, TRAINING);
        assertTrue(file.toFile().length() > 1000);
    }

    @Test
    void otherSizesAreRefused() {
        ImageSet small = ImageSet.of(8, 8, 1, new byte[64], new int[1], TEST.classNames());
        UserException e = assertThrows(UserException.class, () -> measure(small, TRAINING, TEST));
        assertTrue(e.getMessage().contains("8x8x1"), e.getMessage());
    }

    private static NearestTrainingImages.Pair pair(int synthetic, double distance) {
        return new NearestTrainingImages.Pair(synthetic, 0, distance);
    }

    private static ImageSet random(Random rng, int count) {
        byte[] pixels = new byte[count * 9 * 11 * 3];
        rng.nextBytes(pixels);
        return ImageSet.of(9, 11, 3, pixels, new int[count], List.of("a"));
    }
}
