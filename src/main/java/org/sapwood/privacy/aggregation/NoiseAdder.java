package org.sapwood.privacy.aggregation;

import java.util.concurrent.atomic.AtomicInteger;
import org.sapwood.privacy.random.GaussianNoise;

/**
 * Adds rounded Gaussian noise to integers. Since round(z) + n = round(z + n) for an integer n, the result is the
 * continuous Gaussian mechanism followed by rounding, which is post-processing.
 */
final class NoiseAdder {

    /** Below this many coordinates a thread costs more than it saves. */
    private static final int LEAST_PER_THREAD = 1 << 15;

    private NoiseAdder() {}

    /** Adds {@code rint(scale · z_j)} to every {@code sums[j]}. */
    static void add(long[] sums, double scale, GaussianNoise noise, int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be >= 1, got " + threads);
        }
        int tiles = Math.ceilDiv(sums.length, GaussianNoise.TILE);
        int parts = Math.clamp(sums.length / LEAST_PER_THREAD, 1, threads);
        int perPart = Math.ceilDiv(tiles, parts);
        AtomicInteger finished = new AtomicInteger();
        Thread[] helpers = new Thread[parts - 1];
        for (int part = 1; part < parts; part++) {
            int from = part * perPart;
            int to = Math.min(tiles, from + perPart);
            helpers[part - 1] = Thread.ofPlatform().start(() -> {
                addTiles(sums, scale, noise, from, to);
                finished.incrementAndGet();
            });
        }
        addTiles(sums, scale, noise, 0, Math.min(tiles, perPart));
        for (Thread helper : helpers) {
            joinFully(helper);
        }
        if (finished.get() != helpers.length) {
            throw new IllegalStateException("a noise thread failed; the sum is discarded");
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

    private static void addTiles(long[] sums, double scale, GaussianNoise noise, int from, int to) {
        GaussianNoise.Scratch scratch = new GaussianNoise.Scratch();
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
