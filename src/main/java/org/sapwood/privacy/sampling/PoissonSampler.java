package org.sapwood.privacy.sampling;

import java.util.Arrays;
import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.privacy.accounting.PrivacyEvent;

/**
 * Draws batches in which every example is included independently with probability q.
 *
 * <p>An example is included when a fresh 64-bit uniform is below ⌊q·2⁶⁴⌋, so the inclusion probability is q to within
 * 2⁻⁶⁴ and never above it. The indices must stay private: so must the size of a batch. Not thread-safe.
 */
public final class PoissonSampler {

    private final int population;
    private final double samplingRate;
    private final UniformRandomProvider random;
    private final boolean always;
    private final long threshold;
    private int[] scratch = new int[64];

    /**
     * A sampler at a given rate.
     *
     * @param population number of examples N, at least 0
     * @param samplingRate q in [0, 1]
     * @param random a stream of its own, from {@code RandomSource.uniform}
     * @throws IllegalArgumentException if a value is out of range
     */
    public PoissonSampler(int population, double samplingRate, UniformRandomProvider random) {
        if (population < 0) {
            throw new IllegalArgumentException("population must be >= 0, got " + population);
        }
        if (!(samplingRate >= 0 && samplingRate <= 1)) {
            throw new IllegalArgumentException("samplingRate must be in [0, 1], got " + samplingRate);
        }
        this.population = population;
        this.samplingRate = samplingRate;
        this.random = random;
        this.always = samplingRate == 1;
        this.threshold = unsignedFloor(samplingRate);
    }

    /** A sampler at the rate q = B/N. */
    public static PoissonSampler of(int population, ExpectedBatchSize batch, UniformRandomProvider random) {
        return new PoissonSampler(population, batch.samplingRate(population), random);
    }

    /** ⌊q·2⁶⁴⌋ as an unsigned number, for q < 1. */
    private static long unsignedFloor(double q) {
        double half = Math.floor(q * 0x1p63);
        double rest = Math.floor((q * 0x1p63 - half) * 2);
        return ((long) half << 1) + (long) rest;
    }

    /** The probability q of each example. */
    public double samplingRate() {
        return samplingRate;
    }

    /** The next batch: increasing indices in [0, N), possibly none. An empty batch is noised and counted all the same. */
    public int[] sample() {
        int count = 0;
        for (int i = 0; i < population; i++) {
            if (always || Long.compareUnsigned(random.nextLong(), threshold) < 0) {
                if (count == scratch.length) {
                    scratch = Arrays.copyOf(scratch, 2 * count);
                }
                scratch[count++] = i;
            }
        }
        return Arrays.copyOf(scratch, count);
    }

    /**
     * What the accountants must know of {@code steps} noised sums over batches of this sampler.
     *
     * @param name of the query, unique in the ledger
     * @param noiseMultiplier σ of every step
     * @param sensitivity L2 sensitivity of the sum, from the grid it is made on
     * @param steps how many batches will be noised
     */
    public PrivacyEvent event(String name, double noiseMultiplier, double sensitivity, int steps) {
        return new PrivacyEvent(name, samplingRate, noiseMultiplier, sensitivity, steps);
    }
}
