package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.sapwood.autograd.GradientPlan;
import org.sapwood.autograd.GradientPlan.Choice;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.autograd.TrainableTape;
import org.sapwood.diffusion.DenoisingTape;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.privacy.aggregation.GradientGrid;
import org.sapwood.privacy.clipping.AutomaticClipping;
import org.sapwood.privacy.clipping.ClippingRule;
import org.sapwood.privacy.clipping.FlatClipping;
import org.sapwood.privacy.clipping.LayerWiseClipping;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.scalar.ScalarBackend;

/** Private sums of a whole model whose gradients are not all kept: those of the rows, and the same bits everywhere. */
class BookKeepingStepTest {
    private static final int EXAMPLES = 9;
    private static final int IMAGE = 8 * 8;
    private static final double CLIP_NORM = 0.05;
    private static final long ROWS = Long.MAX_VALUE;
    private static final long SOME = 40_000;

    private static final UNet MODEL = model();
    private static final ParameterVector PARAMETERS = MODEL.parameters().trainable();
    private static final GradientEngine.TapeRecorder RECORDER =
            (backend, arena, images, scale) -> DenoisingTape.forTraining(backend, arena, MODEL, images, true, scale);

    /** 8×8 images, so that no layer has many tokens and most gradients are larger than what they are made from. */
    private static UNet model() {
        UNet model = new UNet(new UNetConfig(
                8,
                1,
                1,
                List.of(8, 8),
                1,
                List.of(false, true),
                List.of(false, false),
                true,
                4,
                4,
                1e-5f,
                11,
                true,
                0,
                1));
        model.initialize(RandomSource.XO_SHI_RO_256_PP.create(4));
        return model;
    }

    private static GradientEngine engine(int threads, int microBatch, int draws, long rowBytes) {
        return new GradientEngine(
                Backends.choose(Backends.unavailable("simd") == null ? "simd" : "scalar"),
                threads,
                MODEL.parameters(),
                RECORDER,
                PARAMETERS,
                GradientEngine.Rows.PER_EXAMPLE,
                microBatch,
                draws,
                rowBytes);
    }

    /** Depends on example and draw alone. */
    private static void fill(int worker, int example, int draw, TrainableTape tape, int slot) {
        DenoisingTape images = (DenoisingTape) tape;
        SplittableRandom random = new SplittableRandom(1000L * example + draw);
        float[] pixels = new float[2 * IMAGE];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) random.nextGaussian();
        }
        images.setImage(slot, pixels, 0);
        images.setTarget(slot, pixels, IMAGE);
        images.setCondition(slot, random.nextInt(1000), random.nextInt(10));
    }

    /** Exact units of the sum over all examples, before noise. */
    private static long[] sum(ClippingRule rule, int threads, int microBatch, int draws, long rowBytes) {
        try (GradientEngine engine = engine(threads, microBatch, draws, rowBytes)) {
            GradientGrid grid = new GradientGrid(rule, PARAMETERS.size());
            PrivateGradientSum sum = rule instanceof LayerWiseClipping
                    ? PrivateGradientSum.byParameter(grid, PARAMETERS, 64, engine)
                    : PrivateGradientSum.flat(grid, PARAMETERS, 64, engine);
            engine.run(EXAMPLES, BookKeepingStepTest::fill, sum);
            return sum.mergedUnits();
        }
    }

    private static Stream<ClippingRule> rules() {
        return Stream.of(
                new FlatClipping(CLIP_NORM),
                LayerWiseClipping.equal(CLIP_NORM, PARAMETERS.parameters().size()),
                new AutomaticClipping(CLIP_NORM, 0.01));
    }

    private static Stream<Arguments> rulesAndAllowances() {
        return rules().flatMap(rule -> Stream.of(0L, SOME).map(bytes -> Arguments.of(rule, bytes)));
    }

    private static GradientPlan plan(int draws, long rowBytes) {
        try (Backend backend = new ScalarBackend()) {
            return GradientEngine.plan(
                    false, GradientEngine.uses(backend, RECORDER, draws), PARAMETERS, draws, rowBytes);
        }
    }

    private static long count(Choice choice, long rowBytes) {
        return plan(1, rowBytes).layers().stream()
                .filter(layer -> layer.choice() == choice)
                .count();
    }

    @Test
    void theAllowancesAreDifferentMixes() {
        assertTrue(plan(1, ROWS).keepsAll());
        assertTrue(count(Choice.GHOST, SOME) > 0 && count(Choice.INSTANTIATE, SOME) > 0);
        assertTrue(count(Choice.INSTANTIATE, 0) > count(Choice.INSTANTIATE, SOME));
    }

    @ParameterizedTest
    @MethodSource("rulesAndAllowances")
    void theSumIsThatOfTheRows(ClippingRule rule, long rowBytes) {
        long[] expected = sum(rule, 1, 4, 1, ROWS);
        long[] actual = sum(rule, 1, 4, 1, rowBytes);
        double difference = 0;
        double size = 0;
        for (int j = 0; j < expected.length; j++) {
            difference += Math.pow((double) expected[j] - actual[j], 2);
            size += Math.pow((double) expected[j], 2);
        }
        // Norms from Gram matrices are read up to 3e-5 too long.
        assertTrue(Math.sqrt(difference / size) < 5e-5, "relative difference " + Math.sqrt(difference / size));
    }

    /** Where nothing is clipped the norms have no influence, and the sums are the same bits. */
    @ParameterizedTest
    @CsvSource({"0, 1", "40000, 1", "0, 3", "40000, 3"})
    void withoutClippingTheBitsAreThoseOfTheRows(long rowBytes, int draws) {
        ClippingRule loose = new FlatClipping(1e6);
        long[] expected = sum(loose, 1, 6, draws, ROWS);
        assertTrue(Arrays.stream(expected).anyMatch(unit -> unit != 0));
        assertArrayEquals(expected, sum(loose, 1, 6, draws, rowBytes));
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "40000, 1", "40000, 3"})
    void bitsDependNeitherOnThreadsNorOnMicroBatch(long rowBytes, int draws) {
        ClippingRule rule = new FlatClipping(CLIP_NORM);
        long[] expected = sum(rule, 1, 2 * draws, draws, rowBytes);
        for (int[] schedule : new int[][] {{1, 1}, {2, 3}, {3, 8}}) {
            assertArrayEquals(
                    expected,
                    sum(rule, schedule[0], schedule[1] * draws, draws, rowBytes),
                    "threads and examples: " + Arrays.toString(schedule));
        }
    }

    @ParameterizedTest
    @MethodSource("rulesAndAllowances")
    void anExampleStaysWithinTheBound(ClippingRule rule, long rowBytes) {
        GradientGrid grid = new GradientGrid(rule, PARAMETERS.size());
        try (GradientEngine engine = engine(1, 1, 1, rowBytes)) {
            PrivateGradientSum sum = rule instanceof LayerWiseClipping
                    ? PrivateGradientSum.byParameter(grid, PARAMETERS, 1 << 12, engine)
                    : PrivateGradientSum.flat(grid, PARAMETERS, 1 << 12, engine);
            engine.run(1, BookKeepingStepTest::fill, sum);
            double step = grid.sumGrid().step();
            double norm = Math.sqrt(Arrays.stream(sum.mergedUnits())
                    .mapToDouble(u -> u * step * (u * step))
                    .sum());
            assertTrue(norm <= CLIP_NORM && norm > 0.3 * CLIP_NORM, "norm " + norm);
        }
    }

    @Test
    void aNonFiniteExampleContributesExactlyNothing() {
        float[] nan = new float[IMAGE];
        Arrays.fill(nan, Float.NaN);
        for (ClippingRule rule : rules().toList()) {
            GradientGrid grid = new GradientGrid(rule, PARAMETERS.size());
            try (GradientEngine engine = engine(1, 1, 1, 0)) {
                PrivateGradientSum sum = rule instanceof LayerWiseClipping
                        ? PrivateGradientSum.byParameter(grid, PARAMETERS, 1, engine)
                        : PrivateGradientSum.flat(grid, PARAMETERS, 1, engine);
                engine.run(
                        1,
                        (worker, example, draw, tape, slot) -> {
                            fill(worker, example, draw, tape, slot);
                            ((DenoisingTape) tape).setImage(slot, nan, 0);
                        },
                        sum);
                assertArrayEquals(new long[PARAMETERS.size()], sum.mergedUnits(), rule.toString());
            }
        }
    }

    /** Draws of several passes share one row, and then everything is kept: inputs of a pass are lost in the next. */
    @Test
    void severalPassesKeepTheirRow() {
        GradientPlan plan = plan(12, 0);
        assertTrue(plan.keepsAll());
        assertEquals(6, plan.draws());
        ClippingRule rule = new FlatClipping(CLIP_NORM);
        assertArrayEquals(sum(rule, 1, 1, 12, ROWS), sum(rule, 2, 3, 12, 0));
    }
}
