package org.sapwood.privacy.aggregation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.clipping.FlatClipping;
import org.sapwood.privacy.ledger.Charge;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.random.RandomSource;
import org.sapwood.privacy.random.RandomSource.Purpose;
import org.sapwood.privacy.sampling.ExpectedBatchSize;

/** Noise: once, calibrated from the sum, with the same bits for any split of the work. */
class NoisedSumTest {

    private static final double SIGMA = 1.5;

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
                .noised(charge(grid), RandomSource.seeded(1, 0).gaussian(Purpose.NOISE), 2)
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
            BoundedSum sum = new BoundedSum(grid);
            Arrays.setAll(sum.units(), i -> 31L * i);
            double[] values = sum.noised(charge(grid), RandomSource.seeded(2, 0).gaussian(Purpose.NOISE), threads)
                    .values();
            expected = expected == null ? values : expected;
            assertArrayEquals(expected, values, threads + " threads");
        }
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
                merged.merge(part);
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
        sum.noised(ledger.charge("training"), random.gaussian(Purpose.NOISE), 1);
        Charge second = ledger.charge("training");
        assertThrows(IllegalStateException.class, () -> sum.noised(second, random.gaussian(Purpose.NOISE), 1));
        assertThrows(IllegalStateException.class, sum::units);
    }

    @Test
    void aChargeOrANoiseStreamServesOneSum() {
        SumGrid grid = SumGrid.fine(1, 10);
        RandomSource random = RandomSource.seeded(5, 0);
        Charge charge = charge(grid);
        var noise = random.gaussian(Purpose.NOISE);
        new BoundedSum(grid).noised(charge, noise, 1);
        assertThrows(
                IllegalStateException.class,
                () -> new BoundedSum(grid).noised(charge, random.gaussian(Purpose.NOISE), 1));
        assertThrows(IllegalStateException.class, () -> new BoundedSum(grid).noised(charge(grid), noise, 1));
    }

    @Test
    void aChargeForAnotherSensitivityIsRefused() {
        Charge charge = charge(SumGrid.fine(1, 10));
        assertThrows(
                IllegalArgumentException.class,
                () -> new BoundedSum(SumGrid.fine(1.5, 10))
                        .noised(charge, RandomSource.seeded(6, 0).gaussian(Purpose.NOISE), 1));
    }

    /** The divisor is the public B; an empty batch is noised and divided by the same B. */
    @Test
    void meanDividesByTheExpectedBatchSize() {
        SumGrid grid = SumGrid.fine(1, 16);
        NoisedSum noised = new BoundedSum(grid)
                .noised(charge(grid), RandomSource.seeded(7, 0).gaussian(Purpose.NOISE), 1);
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
                .noised(charge(grid), RandomSource.seeded(8, 0).gaussian(Purpose.NOISE), 1);
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
            NoisedSum noised =
                    sum.noised(charge(grid), RandomSource.seeded(threads, 0).gaussian(Purpose.NOISE), threads);
            NoisedSum fresh = new BoundedSum(grid)
                    .noised(charge(grid), RandomSource.seeded(threads, 0).gaussian(Purpose.NOISE), 1);
            assertArrayEquals(fresh.values(), noised.values(), threads + " threads");
            sum = noised.recycle();
        }
    }

    @Test
    void sumsOnDifferentGridsDoNotMerge() {
        BoundedSum sum = new BoundedSum(SumGrid.fine(1, 10));
        assertThrows(IllegalArgumentException.class, () -> sum.merge(new BoundedSum(SumGrid.fine(2, 10))));
        assertThrows(IllegalArgumentException.class, () -> sum.merge(sum));
    }
}
