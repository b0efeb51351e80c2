package org.sapwood.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.sapwood.data.ReadOptions.Subset;

/**
 * The published sets, read from {@code ../shared/data} beside the project. Where they are missing the tests are skipped,
 * unless {@code SAPWOOD_REQUIRE_DATA=1} makes that a failure.
 */
class RealDataTest {
    private static final Path DATA = Path.of("..", "shared", "data");

    @Test
    void mnist() {
        ImageSet set = ImageSets.open(data("mnist"), ReadOptions.asStored());
        assertEquals("ImageSet[28x28x1, 10 classes]", set.toString());
        assertEquals(10_000, set.size());
        assertArrayEquals(
                new int[] {7, 2, 1, 0, 4, 1, 4, 9, 5, 9}, set.subset(0, 10).labels());
        assertArrayEquals(
                new int[] {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}, counts(set), "as published");
    }

    @Test
    void omniglotSharedAlphabetsAreMergedOnce() {
        List<Path> archives =
                List.of(data("omniglot/images_background_small1.zip"), data("omniglot/images_background_small2.zip"));
        ImageSet set =
                ImageSets.open(archives, ReadOptions.asStored().withSize(28).withInvert(true));
        assertEquals("ImageSet[28x28x1, 242 classes]", set.toString());
        assertEquals(242 * 20, set.size());
        assertTrue(Arrays.stream(counts(set)).allMatch(count -> count == 20), "20 drawers per character");
        assertEquals("Balinese/character01", set.classNames().getFirst());
        double mean = 0;
        for (float value : set.subset(0, 1000).toFloats()) {
            mean += value / (1000.0 * set.imageLength());
        }
        assertTrue(mean < -0.7, "light strokes on black have a mean near -1, got " + mean);
    }

    @Test
    void cifarFromZipIsDealtByClass() {
        ImageSet set =
                ImageSets.open(data("cifar10/test.zip"), ReadOptions.asStored().withSubset(Subset.parse("0:200")));
        assertEquals("ImageSet[32x32x3, 10 classes]", set.toString());
        assertEquals(
                List.of("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
                set.classNames());
        assertTrue(Arrays.stream(counts(set)).allMatch(count -> count == 20));
    }

    private static Path data(String name) {
        Path path = DATA.resolve(name);
        if (!Files.exists(path)) {
            if ("1".equals(System.getenv("SAPWOOD_REQUIRE_DATA"))) {
                fail(path + " is missing and SAPWOOD_REQUIRE_DATA=1");
            }
            Assumptions.abort(path + " is missing; set SAPWOOD_REQUIRE_DATA=1 to make that a failure");
        }
        return path;
    }

    private static int[] counts(ImageSet set) {
        int[] counts = new int[set.classCount()];
        for (int label : set.labels()) {
            counts[label]++;
        }
        return counts;
    }
}
