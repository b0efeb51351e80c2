package org.sapwood.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sapwood.io.UserException;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Backends;

class ImageSamplerTest {
    private static final int SIZE = 8 * 8 * 2;
    private static final int[] LABELS = {0, 1, 2, 0, 1, 2, 2};

    private static UNet model(int classes) {
        UNetConfig config = new UNetConfig(
                8,
                2,
                2,
                List.of(8, 16),
                1,
                List.of(false, true),
                List.of(true, false),
                true,
                8,
                4,
                1e-5f,
                classes,
                true,
                0,
                1);
        UNet model = new UNet(config);
        model.initialize(RandomSource.XO_SHI_RO_256_PP.create(3L));
        return model;
    }

    private static float[] sample(UNet model, SamplingOptions options, String backend, int... labels) {
        return new ImageSampler(model, NoiseSchedule.linear(1000), options, Backends.choose(backend))
                .sample(labels, done -> {});
    }

    private static SamplingOptions options(StepRule rule, int steps, double guidanceScale) {
        return new SamplingOptions(rule, steps, guidanceScale, true, 4, 1, 11);
    }

    private static Stream<String> backends() {
        return Backends.names().stream().filter(name -> Backends.unavailable(name) == null);
    }

    @ParameterizedTest
    @MethodSource("backends")
    void bitsDoNotDependOnThreadsOrMicroBatch(String backend) {
        UNet model = model(4);
        for (StepRule rule : List.of(new DpmSolver(), new Ddim(0.5))) {
            float[] expected = sample(model, new SamplingOptions(rule, 4, 1.5, true, 7, 1, 11), backend, LABELS);
            for (int microBatch : new int[] {1, 3, 50}) {
                for (int threads : new int[] {1, 3}) {
                    SamplingOptions other = new SamplingOptions(rule, 4, 1.5, true, microBatch, threads, 11);
                    assertArrayEquals(
                            expected,
                            sample(model, other, backend, LABELS),
                            rule + ", micro-batch " + microBatch + ", " + threads + " threads");
                }
            }
        }
    }

    @Test
    void imageDependsOnSeedIndexAndLabelOnly() {
        UNet model = model(4);
        SamplingOptions options = options(new Ddim(1), 3, 1);
        float[] images = sample(model, options, "scalar", LABELS);
        float[] fewer = sample(model, options, "scalar", 0, 1);
        assertArrayEquals(Arrays.copyOf(images, 2 * SIZE), fewer);
        assertFalse(
                Arrays.equals(Arrays.copyOf(images, SIZE), Arrays.copyOfRange(images, 3 * SIZE, 4 * SIZE)),
                "two images of one class differ");
        SamplingOptions reseeded = new SamplingOptions(new Ddim(1), 3, 1, true, 4, 1, 12);
        assertFalse(Arrays.equals(images, sample(model, reseeded, "scalar", LABELS)), "another seed, other images");
        SamplingOptions highBits = new SamplingOptions(new Ddim(1), 3, 1, true, 4, 1, 11 + (1L << 40));
        assertFalse(Arrays.equals(images, sample(model, highBits, "scalar", LABELS)), "all 64 bits of the seed count");
    }

    /** With one step and no clipping the image is affine in the predicted noise, so guidance can be read off it. */
    @Test
    void guidanceExtrapolatesFromTheClasslessPrediction() {
        UNet model = model(4);
        SamplingOptions plain = new SamplingOptions(new Ddim(0), 1, 1, false, 2, 1, 11);
        float[] conditional = sample(model, plain, "scalar", 0, 1, 2);
        float[] classless = sample(model, plain, "scalar", 3, 3, 3);
        float[] zero = sample(model, new SamplingOptions(new Ddim(0), 1, 0, false, 2, 1, 11), "scalar", 0, 1, 2);
        assertArrayEquals(classless, zero, "w = 0 ignores the class");
        float[] guided = sample(model, new SamplingOptions(new Ddim(0), 1, 3, false, 2, 1, 11), "scalar", 0, 1, 2);
        boolean differs = false;
        for (int i = 0; i < guided.length; i++) {
            float expected = classless[i] + 3 * (conditional[i] - classless[i]);
            assertEquals(expected, guided[i], 2e-4 * Math.max(1, Math.abs(expected)));
            differs |= Math.abs(conditional[i] - classless[i]) > 1e-2;
        }
        assertTrue(differs, "the class changes the image");
    }

    @Test
    void progressCountsEveryImageOnce() {
        List<Long> seen = new ArrayList<>();
        SamplingOptions options = new SamplingOptions(new Ddim(0), 2, 1, true, 2, 2, 1);
        new ImageSampler(model(4), NoiseSchedule.linear(1000), options, Backends.choose("scalar"))
                .sample(LABELS, seen::add);
        assertEquals(4, seen.size());
        assertEquals(LABELS.length, seen.getLast());
        assertEquals(seen.stream().sorted().toList(), seen);
    }

    @Test
    void nothingToDrawIsNoImages() {
        assertEquals(0, sample(model(4), options(new Ddim(0), 2, 1), "scalar").length);
    }

    @Test
    void unconditionalModelIgnoresLabelsAndRefusesGuidance() {
        UNet model = model(0);
        float[] images = sample(model, options(new Ddim(0), 2, 1), "scalar", 0, 0);
        assertArrayEquals(images, sample(model, options(new Ddim(0), 2, 1), "scalar", 5, 9));
        UserException refusal =
                assertThrows(UserException.class, () -> sample(model, options(new Ddim(0), 2, 2), "scalar", 0));
        assertTrue(refusal.getMessage().contains("guidance scale 2.0"), refusal.getMessage());
    }

    @Test
    void badRequestsAreRefused() {
        UNet model = model(4);
        assertThrows(IllegalArgumentException.class, () -> sample(model, options(new Ddim(0), 2, 1), "scalar", 4));
        assertThrows(IllegalArgumentException.class, () -> sample(model, options(new Ddim(0), 2, 1), "scalar", -1));
        assertThrows(IllegalArgumentException.class, () -> options(new Ddim(0), 2, Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> options(new Ddim(0), 0, 1));
    }

    @Test
    void aFailingWorkerFailsTheCall() {
        BackendChoice broken = new BackendChoice(
                "scalar",
                "broken",
                () -> {
                    throw new IllegalStateException("no memory");
                },
                List.of());
        ImageSampler sampler =
                new ImageSampler(model(4), NoiseSchedule.linear(1000), options(new Ddim(0), 2, 1), broken);
        IllegalStateException failure =
                assertThrows(IllegalStateException.class, () -> sampler.sample(LABELS, done -> {}));
        assertEquals("no memory", failure.getMessage());
    }
}
