package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.data.Glyphs;
import org.sapwood.data.ImageSet;
import org.sapwood.diffusion.DenoisingTape;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.TimestepSampler;
import org.sapwood.nn.UNet;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.aggregation.GradientGrid;
import org.sapwood.privacy.clipping.FlatClipping;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.random.RandomSource;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.privacy.sampling.PoissonSampler;
import org.sapwood.tensor.Backends;

/** The private step as executed: what enters the sum, how often noise is added, and that no schedule changes a bit. */
class PrivateStepTest {
    private static final int EXAMPLES = 7;
    private static final double CLIP_NORM = 0.05;

    private static final ImageSet IMAGES = Glyphs.generate(Glyphs.Half.SENSITIVE, EXAMPLES, 11);
    private static final UNet MODEL = TinyModels.random(11, 4);

    /** The backend that auto chooses, and the one on a device, where everything of a step stays there. */
    private static Stream<String> backends() {
        return Stream.of(Backends.choose().name(), "cuda")
                .distinct()
                .filter(name -> Backends.unavailable(name) == null);
    }

    private static Stream<Arguments> schedules() {
        return backends()
                .flatMap(backend -> Stream.of(
                                new int[] {1, 1, 1},
                                new int[] {2, 1, 1},
                                new int[] {1, 3, 1},
                                new int[] {2, 4, 1},
                                new int[] {2, 16, 1},
                                new int[] {1, 1, 2},
                                new int[] {2, 6, 2},
                                new int[] {1, 1, 12},
                                new int[] {2, 8, 12})
                        .map(schedule -> Arguments.of(backend, schedule[0], schedule[1], schedule[2])));
    }

    private static long[] sum(int threads, int microBatch, int draws, GradientEngine.DrawSource source) {
        return sum(Backends.choose().name(), threads, microBatch, draws, source);
    }

    /** Exact units of the sum over all examples, before noise. */
    private static long[] sum(
            String backend, int threads, int microBatch, int draws, GradientEngine.DrawSource source) {
        ParameterVector parameters = MODEL.parameters().trainable();
        try (GradientEngine engine = new GradientEngine(
                Backends.choose(backend),
                threads,
                MODEL,
                parameters,
                GradientEngine.Rows.PER_EXAMPLE,
                microBatch,
                draws,
                true)) {
            GradientGrid grid = new GradientGrid(new FlatClipping(CLIP_NORM), parameters.size());
            PrivateGradientSum sum = PrivateGradientSum.flat(grid, parameters, 1, engine);
            engine.run(EXAMPLES, source, sum);
            return sum.mergedUnits();
        }
    }

    private static DenoisingDraws draws(int threads) {
        NoiseSchedule schedule = NoiseSchedule.linear(1000);
        DenoisingDraws draws = new DenoisingDraws(
                new PixelImages(IMAGES),
                schedule,
                TimestepSampler.uniform(1000),
                Augmentation.NONE,
                1,
                0.1,
                10,
                99,
                threads);
        draws.select(0, new int[] {0, 1, 2, 3, 4, 5, 6});
        return draws;
    }

    @ParameterizedTest
    @MethodSource("schedules")
    void bitsDependNeitherOnThreadsNorOnMicroBatch(String backend, int threads, int microBatch, int draws) {
        long[] reference = sum(backend, 1, 2, draws, draws(1));
        assertArrayEquals(reference, sum(backend, threads, microBatch, draws, draws(threads)));
        assertTrue(Arrays.stream(reference).anyMatch(u -> u != 0), "the sum must not be empty");
    }

    /** What enters the sum on a device is what enters it on the host, up to the rounding of the gradients. */
    @ParameterizedTest
    @MethodSource("backends")
    void theSumIsThatOfTheReference(String backend) {
        long[] expected = sum("scalar", 1, 2, 2, draws(1));
        long[] actual = sum(backend, 2, 3, 2, draws(2));
        double difference = 0;
        double size = 0;
        for (int j = 0; j < expected.length; j++) {
            difference += Math.pow((double) expected[j] - actual[j], 2);
            size += Math.pow((double) expected[j], 2);
        }
        assertTrue(Math.sqrt(difference / size) < 1e-4, "relative difference " + Math.sqrt(difference / size));
    }

    @Test
    void anExampleOfSeveralDrawsWeighsNoMoreThanOne() {
        DenoisingDraws all = draws(1);
        // Every example but the first contributes the draws of the first: the sum of 7 equal clipped gradients.
        GradientEngine.DrawSource same = (worker, example, draw, tape, slot) -> all.fill(worker, 0, draw, tape, slot);
        long[] units = sum(1, 3, 4, same);
        double step = new GradientGrid(
                        new FlatClipping(CLIP_NORM),
                        MODEL.parameters().trainable().size())
                .sumGrid()
                .step();
        double squared =
                Arrays.stream(units).mapToDouble(u -> u * step * (u * step)).sum();
        double norm = Math.sqrt(squared);
        assertTrue(norm <= EXAMPLES * CLIP_NORM, "norm " + norm + " exceeds the bound: draws were not averaged");
        assertEquals(EXAMPLES * CLIP_NORM, norm, 1e-3 * norm, "gradients this large must meet the bound");
    }

    @Test
    void aScaledLabelGradientStaysWithinTheBound() {
        DenoisingDraws all = draws(1);
        GradientEngine.DrawSource same = (worker, example, draw, tape, slot) -> all.fill(worker, 0, draw, tape, slot);
        ParameterVector parameters = MODEL.parameters().trainable();
        GradientGrid grid = new GradientGrid(new FlatClipping(CLIP_NORM), parameters.size());
        try (GradientEngine engine = new GradientEngine(
                Backends.choose(), 1, MODEL, parameters, GradientEngine.Rows.PER_EXAMPLE, 3, 1, true)) {
            PrivateGradientSum sum = PrivateGradientSum.flat(grid, parameters, 1 << 12, engine);
            engine.run(EXAMPLES, same, sum);
            double step = grid.sumGrid().step();
            double norm = Math.sqrt(Arrays.stream(sum.mergedUnits())
                    .mapToDouble(u -> u * step * (u * step))
                    .sum());
            assertTrue(norm <= EXAMPLES * CLIP_NORM, "the scale must be part of the clipped norm, got " + norm);
            assertEquals(EXAMPLES * CLIP_NORM, norm, 1e-3 * norm);
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void aNonFiniteExampleContributesExactlyNothing(String backend) {
        DenoisingDraws finite = draws(1);
        float[] nan = new float[IMAGES.imageLength()];
        Arrays.fill(nan, Float.NaN);
        GradientEngine.DrawSource poisoned = (worker, example, draw, tape, slot) -> {
            finite.fill(worker, example, draw, tape, slot);
            if (example == 2) {
                ((DenoisingTape) tape).setImage(slot, nan, 0);
            }
        };
        long[] without = new long[MODEL.parameters().trainable().size()];
        for (int example = 0; example < EXAMPLES; example++) {
            if (example != 2) {
                long[] alone = only(backend, finite, example);
                for (int j = 0; j < alone.length; j++) {
                    without[j] += alone[j];
                }
            }
        }
        assertArrayEquals(without, sum(backend, 1, 4, 1, poisoned));
    }

    /** The contribution of one example: all others are made non-finite, hence nothing. */
    private static long[] only(String backend, DenoisingDraws draws, int wanted) {
        ParameterVector parameters = MODEL.parameters().trainable();
        try (GradientEngine engine = new GradientEngine(
                Backends.choose(backend), 1, MODEL, parameters, GradientEngine.Rows.PER_EXAMPLE, 1, 1, true)) {
            GradientGrid grid = new GradientGrid(new FlatClipping(CLIP_NORM), parameters.size());
            PrivateGradientSum sum = PrivateGradientSum.flat(grid, parameters, 1, engine);
            engine.run(1, (w, e, d, tape, s) -> draws.fill(w, wanted, d, tape, s), sum);
            return sum.mergedUnits();
        }
    }

    @Test
    void anEmptyBatchIsNoisedOnceAndCounted() {
        Step step = new Step(1e-9, 1, 7);
        step.trainer.step(step.state, 1e-3);
        assertEquals(1, step.ledger.spent(PrivateTrainer.EVENT));
        float[] first = step.lastUpdate();
        double deviation = rootMeanSquare(first);
        // One Gaussian of σC divided by the public B: a second one would give √2 times this.
        assertEquals(Step.SIGMA * CLIP_NORM / Step.BATCH, deviation, 0.05 * deviation);
    }

    private static double rootMeanSquare(float[] values) {
        double sum = 0;
        for (float v : values) {
            sum += (double) v * v;
        }
        return Math.sqrt(sum / values.length);
    }

    @Test
    void noiseDoesNotDependOnThreadsOrMicroBatch() {
        Step one = new Step(0.5, 1, 2);
        Step two = new Step(0.5, 2, 5);
        one.trainer.step(one.state, 1e-3);
        two.trainer.step(two.state, 1e-3);
        assertArrayEquals(one.lastUpdate(), two.lastUpdate());
    }

    /** What a failed step leaves in the sum would be added to the next batch, and an example of both would be in it twice. */
    @Test
    void aTrainerWhoseStepFailedTakesNoOther() {
        Step step = new Step(0.9, 2, 2);
        step.ledger.charge(PrivateTrainer.EVENT);
        step.ledger.charge(PrivateTrainer.EVENT);
        assertEquals("all 2 planned steps of event 'training' are spent: the budget allows no more", refusal(step));
        assumeTrue(Arrays.stream(step.sum.mergedUnits()).anyMatch(u -> u != 0), "the batch was empty");
        assertEquals(
                "a step before this one failed, and the sum may hold its batch; resume the run instead", refusal(step));
    }

    private static String refusal(Step step) {
        IllegalStateException thrown =
                assertThrows(IllegalStateException.class, () -> step.trainer.step(step.state, 1e-3));
        return String.valueOf(thrown.getMessage());
    }

    @Test
    void everyStepDrawsNewNoise() {
        Step step = new Step(1e-9, 1, 2);
        step.trainer.step(step.state, 0.0);
        float[] first = step.lastUpdate();
        step.trainer.step(step.state, 0.0);
        assertFalse(Arrays.equals(first, step.lastUpdate()), "noise was replayed");
    }

    /** A trainer over seeded randomness with a batch that is public and differs from the realised one. */
    private static final class Step {
        static final double SIGMA = 1.5;
        static final int BATCH = 5;

        final Ledger ledger;
        final PrivateGradientSum sum;
        final PrivateTrainer trainer;
        final TrainingState state;

        /** The mean that the last step released; a device does not hand it out. */
        float[] lastUpdate() {
            assumeTrue(sum instanceof HostGradientSum, "the update stays on the device");
            return ((HostGradientSum) sum).lastUpdate();
        }

        Step(double samplingRate, int threads, int microBatch) {
            UNet model = TinyModels.random(11, 4);
            ParameterVector parameters = model.parameters().trainable();
            RandomSource randomness = RandomSource.seeded(21, 0);
            PoissonSampler sampler =
                    new PoissonSampler(EXAMPLES, samplingRate, randomness.uniform(RandomSource.Purpose.SAMPLING));
            PrivacyEvent event = sampler.event(PrivateTrainer.EVENT, SIGMA, CLIP_NORM, 2);
            ledger = Ledger.inMemory(List.of(event), 1e-3, randomness.description());
            GradientEngine engine = new GradientEngine(
                    Backends.choose(),
                    threads,
                    model,
                    parameters,
                    GradientEngine.Rows.PER_EXAMPLE,
                    microBatch,
                    1,
                    true);
            GradientGrid grid = new GradientGrid(new FlatClipping(CLIP_NORM), parameters.size());
            sum = PrivateGradientSum.flat(grid, parameters, 1, engine);
            trainer = new PrivateTrainer(
                    engine, draws(threads), sum, sampler, new ExpectedBatchSize(BATCH), randomness, ledger);
            state = new TrainingState(model, parameters, 0.9, Map.of());
            sum.prepare(state);
        }
    }
}
