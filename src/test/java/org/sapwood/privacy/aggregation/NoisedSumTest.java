package org.sapwood.privacy.aggregation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.clipping.FlatClipping;
import org.sapwood.privacy.ledger.Charge;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.random.GaussianNoise;
import org.sapwood.privacy.random.RandomSource;
import org.sapwood.privacy.random.RandomSource.Purpose;
import org.sapwood.privacy.sampling.ExpectedBatchSize;

/** Noise: once, calibrated from the sum, with the same bits for any split of the work. */
class NoisedSumTest {

    private static final double SIGMA = 1.5;

    /** The caller's thread. */
    private static final WorkerPool ALONE = new WorkerPool(1);

    private static Ledger ledger(SumGrid grid, int steps) {
        return Ledger.inMemory(
                List.of(new PrivacyEvent("training", 0.1, SIGMA, grid.sensitivity(), steps)),
                1e-5,
                "seeded, not private");
    }

    private static Charge charge(SumGrid grid) {
        return ledger(grid, 1).charge("training");
    }

    @Test
    void noiseHasTheStandardDeviationOfTheSensitivity() {
        SumGrid grid = SumGrid.fine(0.3, 200_000);
        double[] values = new BoundedSum(grid)
                .noised(charge(grid), RandomSource.seeded(1, 0).gaussian(Purpose.NOISE), ALONE)
                .values();
        double square = Arrays.stream(values).map(v -> v * v).average().orElseThrow();
        double expected = SIGMA * 0.3;
        assertEquals(expected, Math.sqrt(square), 5 * expected / Math.sqrt(2 * 200_000.0));
        assertEquals(0, Arrays.stream(values).average().orElseThrow(), 5 * expected / Math.sqrt(200_000.0));
    }

    @Test
    void bitsDoNotDependOnThreads() {
        SumGrid grid = SumGrid.fine(1, 100_003);
        double[] expected = null;
        for (int threads : new int[] {1, 2, 3, 7}) {
            try (WorkerPool pool = new WorkerPool(threads)) {
                BoundedSum sum = new BoundedSum(grid);
                Arrays.setAll(sum.units(), i -> 31L * i);
                BoundedSum second = new BoundedSum(grid);
                Arrays.setAll(second.units(), i -> 7L - i);
                BoundedSum third = new BoundedSum(grid);
                Arrays.setAll(third.units(), i -> 3L * i);
                sum.merge(List.of(second, third), pool);
                for (int i = 0; i < 100_003; i++) {
                    assertEquals(33L * i + 7, sum.units()[i], "coordinate " + i);
                }
                assertArrayEquals(new long[100_003], second.units(), threads + " threads");
                assertArrayEquals(new long[100_003], third.units(), threads + " threads");
                NoisedSum noised =
                        sum.noised(charge(grid), RandomSource.seeded(2, 0).gaussian(Purpose.NOISE), pool);
                double[] values = noised.values();
                expected = expected == null ? values : expected;
                assertArrayEquals(expected, values, threads + " threads");
                float[] mean = new float[100_003];
                noised.meanOver(new ExpectedBatchSize(8), mean);
                for (int i = 0; i < mean.length; i++) {
                    assertEquals((float) (values[i] / 8), mean[i], "coordinate " + i);
                }
                assertArrayEquals(new long[100_003], noised.recycle().units(), threads + " threads");
            }
        }
    }

    /** Noise that repeats, or a coordinate without any, would be found by subtraction. */
    @Test
    void everyCoordinateHasTheNoiseOfItsPlaceInTheStream() {
        int length = 100_003;
        SumGrid grid = SumGrid.fine(1, length);
        try (WorkerPool pool = new WorkerPool(3)) {
            BoundedSum sum = new BoundedSum(grid);
            Arrays.setAll(sum.units(), i -> 5L * i);
            double[] noised = sum.noised(charge(grid), RandomSource.seeded(9, 0).gaussian(Purpose.NOISE), pool)
                    .values();
            GaussianNoise noise = RandomSource.seeded(9, 0).gaussian(Purpose.NOISE);
            GaussianNoise.Scratch scratch = new GaussianNoise.Scratch();
            double scale = SIGMA * grid.sensitivity() / grid.step();
            double[] normals = {};
            for (int i = 0; i < length; i++) {
                if (i % GaussianNoise.TILE == 0) {
                    normals = noise.tile(i / GaussianNoise.TILE, scratch);
                }
                double expected = 5L * i + Math.rint(scale * normals[i % GaussianNoise.TILE]);
                assertEquals(expected * grid.step(), noised[i], "coordinate " + i);
            }
        }
    }

    /** What is half noised is lost, and with it the charge. */
    @Test
    void aSumWhoseNoiseFailsIsNotHandedOver() {
        SumGrid grid = SumGrid.fine(1, 100_003);
        WorkerPool pool = new WorkerPool(2);
        pool.close();
        BoundedSum sum = new BoundedSum(grid);
        assertThrows(
                RejectedExecutionException.class,
                () -> sum.noised(charge(grid), RandomSource.seeded(10, 0).gaussian(Purpose.NOISE), pool));
        assertThrows(IllegalStateException.class, sum::units);
    }

    /** Any order and any micro-batches: the sum is the same integers. */
    @Test
    void sumsDoNotDependOnOrderOrMicroBatches() {
        int parameters = 501;
        GradientGrid gradientGrid = new GradientGrid(new FlatClipping(1), parameters);
        SplittableRandom random = new SplittableRandom(3);
        float[][] gradients = new float[24][parameters];
        float[] scales = new float[24];
        for (int i = 0; i < 24; i++) {
            for (int j = 0; j < parameters; j++) {
                gradients[i][j] = (float) random.nextGaussian();
            }
            double square = 0;
            for (float g : gradients[i]) {
                square += (double) g * g;
            }
            float[] scale = new float[1];
            gradientGrid.scales(new double[] {square}, scale);
            scales[i] = scale[0];
        }
        BoundedSum whole = new BoundedSum(gradientGrid.sumGrid());
        for (int i = 0; i < 24; i++) {
            whole.add(gradients[i], 0, parameters, scales[i], 0);
        }
        BoundedSum merged = new BoundedSum(gradientGrid.sumGrid());
        BoundedSum part = new BoundedSum(gradientGrid.sumGrid());
        for (int i = 23; i >= 0; i--) {
            part.add(gradients[i], 0, parameters, scales[i], 0);
            if (i % 5 == 0) {
                merged.merge(List.of(part), ALONE);
            }
        }
        assertArrayEquals(whole.units(), merged.units());
        // A stale worker sum cannot be added twice: merging emptied it.
        assertArrayEquals(new long[parameters], part.units());
    }

    @Test
    void noiseIsAddedExactlyOnce() {
        SumGrid grid = SumGrid.fine(1, 10);
        RandomSource random = RandomSource.seeded(4, 0);
        BoundedSum sum = new BoundedSum(grid);
        Ledger ledger = ledger(grid, 3);
        sum.noised(ledger.charge("training"), random.gaussian(Purpose.NOISE), ALONE);
        Charge second = ledger.charge("training");
        assertThrows(IllegalStateException.class, () -> sum.noised(second, random.gaussian(Purpose.NOISE), ALONE));
        assertThrows(IllegalStateException.class, sum::units);
    }

    @Test
    void aChargeOrANoiseStreamServesOneSum() {
        SumGrid grid = SumGrid.fine(1, 10);
        RandomSource random = RandomSource.seeded(5, 0);
        Charge charge = charge(grid);
        var noise = random.gaussian(Purpose.NOISE);
        new BoundedSum(grid).noised(charge, noise, ALONE);
        assertThrows(
                IllegalStateException.class,
                () -> new BoundedSum(grid).noised(charge, random.gaussian(Purpose.NOISE), ALONE));
        assertThrows(IllegalStateException.class, () -> new BoundedSum(grid).noised(charge(grid), noise, ALONE));
    }

    @Test
    void aChargeForAnotherSensitivityIsRefused() {
        Charge charge = charge(SumGrid.fine(1, 10));
        assertThrows(
                IllegalArgumentException.class,
                () -> new BoundedSum(SumGrid.fine(1.5, 10))
                        .noised(charge, RandomSource.seeded(6, 0).gaussian(Purpose.NOISE), ALONE));
    }

    /** The divisor is the public B; an empty batch is noised and divided by the same B. */
    @Test
    void meanDividesByTheExpectedBatchSize() {
        SumGrid grid = SumGrid.fine(1, 16);
        NoisedSum noised = new BoundedSum(grid)
                .noised(charge(grid), RandomSource.seeded(7, 0).gaussian(Purpose.NOISE), ALONE);
        double[] values = noised.values();
        float[] mean = new float[16];
        noised.meanOver(new ExpectedBatchSize(256), mean);
        for (int i = 0; i < 16; i++) {
            assertEquals((float) (values[i] / 256), mean[i]);
        }
        assertFalse(Arrays.stream(values).allMatch(v -> v == 0), "an empty batch must be noised, too");
    }

    @Test
    void recycledMemoryStartsEmptyAndHidesTheOldSum() {
        SumGrid grid = SumGrid.fine(1, 16);
        NoisedSum noised = new BoundedSum(grid)
                .noised(charge(grid), RandomSource.seeded(8, 0).gaussian(Purpose.NOISE), ALONE);
        BoundedSum next = noised.recycle();
        assertArrayEquals(new long[16], next.units());
        assertThrows(IllegalStateException.class, noised::values);
    }

    /** Memory that a sum takes over, that of its noise among it, leaves nothing in the next one. */
    @Test
    void noiseOfARecycledSumIsThatOfANewOne() {
        SumGrid grid = SumGrid.fine(1, 100_003);
        BoundedSum sum = new BoundedSum(grid);
        for (int threads : new int[] {1, 3, 2}) {
            try (WorkerPool pool = new WorkerPool(threads)) {
                NoisedSum noised =
                        sum.noised(charge(grid), RandomSource.seeded(threads, 0).gaussian(Purpose.NOISE), pool);
                NoisedSum fresh = new BoundedSum(grid)
                        .noised(charge(grid), RandomSource.seeded(threads, 0).gaussian(Purpose.NOISE), ALONE);
                assertArrayEquals(fresh.values(), noised.values(), threads + " threads");
                sum = noised.recycle();
            }
        }
    }

    @Test
    void sumsOnDifferentGridsDoNotMerge() {
        BoundedSum sum = new BoundedSum(SumGrid.fine(1, 10));
        assertThrows(
                IllegalArgumentException.class, () -> sum.merge(List.of(new BoundedSum(SumGrid.fine(2, 10))), ALONE));
        assertThrows(IllegalArgumentException.class, () -> sum.merge(List.of(sum), ALONE));
    }
}
