package org.sapwood.privacy.sampling;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.commons.rng.UniformRandomProvider;
import org.junit.jupiter.api.Test;
import org.sapwood.privacy.random.RandomSource;
import org.sapwood.privacy.random.RandomSource.Purpose;

/** Batches are Poisson: sizes vary, examples are independent, the accountant sees the rate that was drawn with. */
class PoissonSamplerTest {

    private static UniformRandomProvider random(long seed) {
        return RandomSource.seeded(seed, 0).uniform(Purpose.SAMPLING);
    }

    private static UniformRandomProvider fixed(long... words) {
        Iterator<Long> iterator =
                IntStream.range(0, words.length).mapToObj(i -> words[i]).iterator();
        return iterator::next;
    }

    /** A shuffled or fixed-size batch has no variance in its size; a Poisson one has N·q·(1 − q). */
    @Test
    void batchSizesVaryAsABinomial() {
        int population = 2000;
        double q = 0.05;
        int trials = 4000;
        PoissonSampler sampler = new PoissonSampler(population, q, random(1));
        double mean = 0;
        double square = 0;
        for (int i = 0; i < trials; i++) {
            int size = sampler.sample().length;
            mean += (double) size / trials;
            square += (double) size * size / trials;
        }
        double variance = population * q * (1 - q);
        assertEquals(population * q, mean, 5 * Math.sqrt(variance / trials));
        assertEquals(variance, square - mean * mean, 5 * variance * Math.sqrt(2.0 / trials));
    }

    /** Without replacement pairs are rarer, and consecutive batches of an epoch share nobody; here both are independent. */
    @Test
    void examplesAreIndependentWithinAndAcrossBatches() {
        int trials = 40_000;
        PoissonSampler sampler = new PoissonSampler(4, 0.5, random(2));
        int[] patterns = new int[16];
        int inBoth = 0;
        int previous = 0;
        for (int i = 0; i < trials; i++) {
            int pattern = IntStream.of(sampler.sample()).map(j -> 1 << j).sum();
            patterns[pattern]++;
            inBoth += pattern & previous & 1;
            previous = pattern;
        }
        for (int pattern = 0; pattern < 16; pattern++) {
            assertEquals(trials / 16.0, patterns[pattern], 5 * Math.sqrt(trials / 16.0), "pattern " + pattern);
        }
        assertEquals(trials / 4.0, inBoth, 5 * Math.sqrt(trials / 4.0));
    }

    @Test
    void decisionIsExactAtTheThreshold() {
        // q = 3/4: words below 3·2⁶² are in, from there on out.
        PoissonSampler sampler = new PoissonSampler(4, 0.75, fixed(0, 0xBFFFFFFFFFFFFFFFL, 0xC000000000000000L, -1));
        assertArrayEquals(new int[] {0, 1}, sampler.sample());
        // q = 2⁻⁶⁰ is 16 words in 2⁶⁴.
        PoissonSampler rare = new PoissonSampler(3, 0x1p-60, fixed(15, 16, 0));
        assertArrayEquals(new int[] {0, 2}, rare.sample());
    }

    @Test
    void extremeRates() {
        assertArrayEquals(new int[] {0, 1, 2}, new PoissonSampler(3, 1, random(3)).sample());
        assertEquals(0, new PoissonSampler(1000, 0, random(3)).sample().length);
        assertEquals(0, new PoissonSampler(0, 0.5, random(3)).sample().length);
    }

    @Test
    void batchesAreSortedAndWithinRange() {
        int[] batch = new PoissonSampler(1000, 0.3, random(4)).sample();
        assertTrue(IntStream.range(1, batch.length).allMatch(i -> batch[i - 1] < batch[i]));
        assertTrue(batch[0] >= 0 && batch[batch.length - 1] < 1000);
    }

    @Test
    void accountantSeesTheRateOfTheSampler() {
        PoissonSampler sampler = PoissonSampler.of(8000, new ExpectedBatchSize(256), random(5));
        assertEquals(256.0 / 8000, sampler.event("training", 1.1, 1, 10).samplingRate());
        assertEquals(
                sampler.samplingRate(), sampler.event("training", 1.1, 1, 10).samplingRate());
    }

    @Test
    void refusesWhatCannotBe() {
        for (double q : List.of(-0.1, 1.1, Double.NaN)) {
            assertThrows(IllegalArgumentException.class, () -> new PoissonSampler(10, q, random(6)));
        }
        assertThrows(IllegalArgumentException.class, () -> new PoissonSampler(-1, 0.5, random(6)));
        assertThrows(IllegalArgumentException.class, () -> new ExpectedBatchSize(0));
        assertThrows(IllegalArgumentException.class, () -> new ExpectedBatchSize(11).samplingRate(10));
    }
}
