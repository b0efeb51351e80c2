package org.sapwood.privacy.aggregation;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.sapwood.privacy.random.GaussianNoise;

/**
 * Adds rounded Gaussian noise to integers. Since round(z) + n = round(z + n) for an integer n, the result is the
 * continuous Gaussian mechanism followed by rounding, which is post-processing.
 *
 * <p>Keeps the memory that its threads make noise in, which goes from a sum to the next one that takes over its memory.
 */
final class NoiseAdder {

    /** Below this many coordinates a thread costs more than it saves. */
    private static final int LEAST_PER_THREAD = 1 << 15;

    private GaussianNoise.Scratch[] scratch = new GaussianNoise.Scratch[0];

    /** Adds {@code rint(scale · z_j)} to every {@code sums[j]}. */
    void add(long[] sums, double scale, GaussianNoise noise, int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be >= 1, got " + threads);
        }
        int tiles = Math.ceilDiv(sums.length, GaussianNoise.TILE);
        int parts = Math.clamp(sums.length / LEAST_PER_THREAD, 1, threads);
        int perPart = Math.ceilDiv(tiles, parts);
        reserve(parts);
        AtomicInteger finished = new AtomicInteger();
        Thread[] helpers = new Thread[parts - 1];
        for (int part = 1; part < parts; part++) {
            int from = part * perPart;
            int to = Math.min(tiles, from + perPart);
            GaussianNoise.Scratch own = scratch[part];
            helpers[part - 1] = Thread.ofPlatform().start(() -> {
                addTiles(sums, scale, noise, from, to, own);
                finished.incrementAndGet();
            });
        }
        addTiles(sums, scale, noise, 0, Math.min(tiles, perPart), scratch[0]);
        for (Thread helper : helpers) {
            joinFully(helper);
        }
        if (finished.get() != helpers.length) {
            throw new IllegalStateException("a noise thread failed; the sum is discarded");
        }
    }

    private void reserve(int parts) {
        int held = scratch.length;
        if (held < parts) {
            scratch = Arrays.copyOf(scratch, parts);
            Arrays.setAll(scratch, i -> i < held ? scratch[i] : new GaussianNoise.Scratch());
        }
    }

    /** A half-noised sum must never be handed over, so an interrupt waits until the noise is complete. */
    private static void joinFully(Thread helper) {
        boolean interrupted = false;
        while (true) {
            try {
                helper.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void addTiles(
            long[] sums, double scale, GaussianNoise noise, int from, int to, GaussianNoise.Scratch scratch) {
        for (int tile = from; tile < to; tile++) {
            double[] normals = noise.tile(tile, scratch);
            int start = tile * GaussianNoise.TILE;
            int count = Math.min(GaussianNoise.TILE, sums.length - start);
            for (int i = 0; i < count; i++) {
                sums[start + i] += (long) Math.rint(scale * normals[i]);
            }
        }
    }
}
