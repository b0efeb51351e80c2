package org.sapwood.tensor;

/**
 * Everything of a training step that follows the backward pass, kept on a device: exact sums of clipped gradients, noise,
 * Adam (Kingma and Ba 2015) and the averaged weights, over the flat vector of P trainable weights. A step then moves
 * nothing of size P between host and device. Belongs to the worker of its backend, like all of its calls.
 *
 * <p>It computes what {@code BoundedSum}, {@code Adam} and {@code Ema} compute, to the bit.
 */
public interface DeviceTraining extends AutoCloseable {
    /** The vectors of P floats that training changes. */
    enum Vector {
        WEIGHTS,
        FIRST_MOMENT,
        SECOND_MOMENT,
        AVERAGED
    }

    /**
     * The noise of one release. Its key is as secret as the data: it goes to the device and nowhere else.
     *
     * @param key eight words of a ChaCha20 key
     * @param nonce three words
     * @param deviation standard deviation in units of the grid's step
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Noise(int[] key, int[] nonce, double deviation) {
        /** Shows no word of the key. */
        @Override
        public String toString() {
            return "Noise[deviation=" + deviation + "]";
        }
    }

    /** Sets a vector from {@code source[0, P)}. */
    void write(Vector vector, float[] source);

    /** Copies a vector to {@code target[0, P)}; waits for the device. */
    void read(Vector vector, float[] target);

    /**
     * Clips rows 0 … count − 1 and adds them to the exact sums.
     *
     * @param rows per-example gradients [R, P], R ≥ count
     */
    void accumulate(Tensor rows, int count);

    /**
     * The same with the number of rows that count read when the work is done, not when it is recorded: set by
     * {@link #setCount}.
     */
    void accumulate(Tensor rows);

    /** Sets how many rows {@link #accumulate(Tensor)} takes from now on. */
    void setCount(int count);

    /**
     * Adds noise to the sums, once; trains on their mean; and zeroes the sums.
     *
     * @param perUnit value of one unit of the grid divided by the public batch size: a mean is the noised sum times this
     * @param averageShare 1 − d of the average v ← v + (1 − d)·(w − v)
     */
    void release(Noise noise, double perUnit, AdamStep step, double averageShare);

    /** The Euclidean norm of the last noised mean; waits for the device. */
    double releasedNorm();

    /**
     * Trains on a sum that needs no noise.
     *
     * @param gradient [1, P]
     * @param factor by which the sum is multiplied first
     * @param averageShare as of {@link #release}
     */
    void update(Tensor gradient, float factor, AdamStep step, double averageShare);

    /** The exact sums so far, which are private: for tests of what enters them. Waits for the device. */
    void readSums(long[] target);

    @Override
    void close();
}
