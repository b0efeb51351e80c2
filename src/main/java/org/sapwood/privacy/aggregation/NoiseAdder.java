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
        int groups = Math.ceilDiv(sums.length, GaussianNoise.GROUP);
        int parts = Math.clamp(sums.length / LEAST_PER_THREAD, 1, threads);
        int perPart = Math.ceilDiv(groups, parts);
        AtomicInteger finished = new AtomicInteger();
        Thread[] helpers = new Thread[parts - 1];
        for (int part = 1; part < parts; part++) {
            int from = part * perPart;
            int to = Math.min(groups, from + perPart);
            helpers[part - 1] = Thread.ofPlatform().start(() -> {
                addGroups(sums, scale, noise, from, to);
                finished.incrementAndGet();
            });
        }
        addGroups(sums, scale, noise, 0, Math.min(groups, perPart));
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

    private static void addGroups(long[] sums, double scale, GaussianNoise noise, int from, int to) {
        long[] words = new long[GaussianNoise.GROUP];
        double[] normals = new double[GaussianNoise.GROUP];
        for (int group = from; group < to; group++) {
            noise.group(group, words, normals);
            int start = group * GaussianNoise.GROUP;
            int count = Math.min(GaussianNoise.GROUP, sums.length - start);
            for (int i = 0; i < count; i++) {
                sums[start + i] += (long) Math.rint(scale * normals[i]);
            }
        }
    }
}
