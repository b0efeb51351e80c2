package org.sapwood.privacy.random;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.sapwood.tensor.DeviceTraining;

/**
 * Standard normals addressed by coordinate: the j-th depends only on the stream and on j.
 *
 * <p>Coordinate j comes from ChaCha20 block ⌊j/8⌋ of the stream, as eight 64-bit words w₀ … w₇: the words (w₂ₖ, w₂ₖ₊₁)
 * give, by {@link BoxMuller}, coordinates 8⌊j/8⌋ + 2k (cosine) and + 2k + 1 (sine). So ranges can be generated in any
 * order, by any number of threads, with the same bits. A stream serves one noised sum: {@link #claim()} makes sure.
 */
public final class GaussianNoise {

    /** Coordinates made together; ranges that start at multiples of it waste nothing. */
    public static final int TILE = ChaCha20.BLOCKS * ChaCha20.LONGS_PER_BLOCK;

    /** Coordinates one stream can address: 2³² blocks of 8. */
    public static final long CAPACITY = (1L << 32) * ChaCha20.LONGS_PER_BLOCK;

    /** What a thread makes tiles in. What it holds afterwards is as secret as the noise. */
    public static final class Scratch {
        private final int[] words = new int[ChaCha20.WORDS];
        private final double[] exponents = new double[ChaCha20.BLOCKS];
        private final double[] mantissas = new double[ChaCha20.BLOCKS];
        private final double[] radii = new double[ChaCha20.BLOCKS];
        private final double[] fractions = new double[ChaCha20.BLOCKS];
        private final long[] quarters = new long[ChaCha20.BLOCKS];
        private final double[] first = new double[ChaCha20.BLOCKS];
        private final double[] second = new double[ChaCha20.BLOCKS];
        private final double[] normals = new double[TILE];
    }

    private final ChaCha20 cipher;
    private final AtomicBoolean claimed = new AtomicBoolean();

    GaussianNoise(ChaCha20 cipher) {
        this.cipher = cipher;
    }

    /**
     * Marks the stream as used.
     *
     * @throws IllegalStateException the second time: the same noise on two sums would cancel out of their difference
     */
    public void claim() {
        if (!claimed.compareAndSet(false, true)) {
            throw new IllegalStateException(
                    "this noise stream was used for another sum: ask RandomSource.gaussian for a new one");
        }
    }

    /**
     * Marks the stream as used and hands it to a device, which makes the same bits as {@link #tile}.
     *
     * @param deviation standard deviation of the noise, in units of the grid it is rounded to
     * @throws IllegalStateException if it was used before
     */
    public DeviceTraining.Noise handOver(double deviation) {
        claim();
        return new DeviceTraining.Noise(cipher.key(), cipher.nonce(), deviation);
    }

    /**
     * One tile of coordinates, {@code TILE · tile … TILE · (tile + 1) − 1}.
     *
     * @param tile at least 0 and below {@code CAPACITY / TILE}
     * @return a normal per coordinate, in memory of {@code scratch} that its next use overwrites
     */
    public double[] tile(int tile, Scratch scratch) {
        Objects.checkIndex(tile, CAPACITY / TILE);
        cipher.blocks(tile * ChaCha20.BLOCKS, scratch.words);
        for (int k = 0; k < ChaCha20.LONGS_PER_BLOCK; k += 2) {
            // A loop each: the compiler makes vector instructions of all but splitUniforms and the interleaving.
            splitUniforms(scratch.words, k, scratch.exponents, scratch.mantissas);
            splitAngles(scratch.words, k + 1, scratch.fractions, scratch.quarters);
            radii(scratch.exponents, scratch.mantissas, scratch.radii);
            turn(scratch.radii, scratch.fractions, scratch.first, scratch.second);
            turnQuarters(scratch.quarters, scratch.first, scratch.second);
            for (int i = 0; i < ChaCha20.BLOCKS; i++) {
                scratch.normals[i * ChaCha20.LONGS_PER_BLOCK + k] = scratch.first[i];
                scratch.normals[i * ChaCha20.LONGS_PER_BLOCK + k + 1] = scratch.second[i];
            }
        }
        return scratch.normals;
    }

    private static void splitUniforms(int[] words, int k, double[] exponents, double[] mantissas) {
        for (int i = 0; i < ChaCha20.BLOCKS; i++) {
            double uniform = BoxMuller.uniform(ChaCha20.word(words, i, k));
            long exponent = BoxMuller.exponent(uniform);
            exponents[i] = (double) exponent;
            mantissas[i] = BoxMuller.mantissa(uniform, exponent);
        }
    }

    private static void splitAngles(int[] words, int k, double[] fractions, long[] quarters) {
        for (int i = 0; i < ChaCha20.BLOCKS; i++) {
            long angle = ChaCha20.word(words, i, k);
            fractions[i] = BoxMuller.fraction(angle);
            quarters[i] = BoxMuller.quarters(angle);
        }
    }

    private static void radii(double[] exponents, double[] mantissas, double[] radii) {
        for (int i = 0; i < ChaCha20.BLOCKS; i++) {
            radii[i] = BoxMuller.radius(exponents[i], mantissas[i]);
        }
    }

    private static void turn(double[] radii, double[] fractions, double[] first, double[] second) {
        for (int i = 0; i < ChaCha20.BLOCKS; i++) {
            double r = radii[i];
            double t = fractions[i];
            first[i] = r * BoxMuller.cosine(t);
            second[i] = r * BoxMuller.sine(t);
        }
    }

    private static void turnQuarters(long[] quarters, double[] first, double[] second) {
        for (int i = 0; i < ChaCha20.BLOCKS; i++) {
            double c = first[i];
            double s = second[i];
            double cosine = BoxMuller.quarterCosine(quarters[i]);
            double sine = BoxMuller.quarterSine(quarters[i]);
            // One factor of each product is 0 and one ±1, so this rounds nothing.
            first[i] = c * cosine - s * sine;
            second[i] = s * cosine + c * sine;
        }
    }

    @Override
    public String toString() {
        return "GaussianNoise[" + cipher + "]";
    }
}
