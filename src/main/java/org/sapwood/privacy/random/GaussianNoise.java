package org.sapwood.privacy.random;

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
    public static final int GROUP = ChaCha20.LONGS_PER_BLOCK;

    /** Coordinates one stream can address: 2³² blocks of 8. */
    public static final long CAPACITY = (1L << 32) * GROUP;

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
     * Marks the stream as used and hands it to a device, which makes the same bits as {@link #group}.
     *
     * @param deviation standard deviation of the noise, in units of the grid it is rounded to
     * @throws IllegalStateException if it was used before
     */
    public DeviceTraining.Noise handOver(double deviation) {
        claim();
        return new DeviceTraining.Noise(cipher.key(), cipher.nonce(), deviation);
    }

    /**
     * Writes one group of coordinates, {@code 8 · group … 8 · group + 7}.
     *
     * @param group which group, at least 0 and below 2³²
     * @param words scratch of length {@link #GROUP}
     * @param out receives {@link #GROUP} normals
     */
    public void group(long group, long[] words, double[] out) {
        cipher.block((int) group, words, 0);
        for (int k = 0; k < GROUP; k += 2) {
            BoxMuller.pair(words[k], words[k + 1], out, k);
        }
    }

    @Override
    public String toString() {
        return "GaussianNoise[" + cipher + "]";
    }
}
