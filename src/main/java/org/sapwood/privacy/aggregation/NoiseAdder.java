package org.sapwood.privacy.aggregation;

import java.util.Arrays;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.privacy.random.GaussianNoise;

/**
 * Adds rounded Gaussian noise to integers. Since round(z) + n = round(z + n) for an integer n, the result is the
 * continuous Gaussian mechanism followed by rounding, which is post-processing.
 *
 * <p>Keeps the memory that its workers make noise in, which goes from a sum to the next one that takes over its memory.
 */
final class NoiseAdder {
    /** Whole tiles, and not so few that a thread's waking up counts. */
    private static final int TILES_PER_TASK = 8;

    private GaussianNoise.Scratch[] scratch = new GaussianNoise.Scratch[0];

    /** Adds {@code rint(scale · z_j)} to every {@code sums[j]}. */
    void add(long[] sums, double scale, GaussianNoise noise, WorkerPool pool) {
        int tiles = Math.ceilDiv(sums.length, GaussianNoise.TILE);
        reserve(Math.min(pool.workers(), Math.ceilDiv(tiles, TILES_PER_TASK)));
        pool.forStretches(tiles, TILES_PER_TASK, (worker, from, to) -> {
            for (int tile = from; tile < to; tile++) {
                addTile(sums, scale, noise, tile, scratch[worker]);
            }
        });
    }

    private void reserve(int workers) {
        int held = scratch.length;
        if (held < workers) {
            scratch = Arrays.copyOf(scratch, workers);
            Arrays.setAll(scratch, i -> i < held ? scratch[i] : new GaussianNoise.Scratch());
        }
    }

    private static void addTile(
            long[] sums, double scale, GaussianNoise noise, int tile, GaussianNoise.Scratch scratch) {
        double[] normals = noise.tile(tile, scratch);
        int start = tile * GaussianNoise.TILE;
        int count = Math.min(GaussianNoise.TILE, sums.length - start);
        for (int i = 0; i < count; i++) {
            sums[start + i] += (long) Math.rint(scale * normals[i]);
        }
    }
}
