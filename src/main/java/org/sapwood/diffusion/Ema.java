package org.sapwood.diffusion;

/**
 * An exponential moving average of the trained weights, v ← d·v + (1 − d)·w after every step; images are drawn from the
 * average. With warm-up d is min(decay, (1 + n)/(10 + n)) at the n-th update (n from 0), so that a short run does not
 * keep the initial weights. Under differential privacy it is post-processing and costs nothing. Not thread-safe.
 */
public final class Ema {
    private final double decay;
    private final boolean warmUp;
    private final float[] values;
    private long updates;

    /**
     * An average that starts at {@code initial}.
     *
     * @param initial copied
     * @param decay in [0, 1)
     */
    public Ema(float[] initial, double decay, boolean warmUp) {
        this(initial, decay, warmUp, 0);
    }

    /**
     * An average that goes on where another stopped.
     *
     * @param values copied
     * @param decay in [0, 1)
     * @param updates made so far, ≥ 0
     */
    public Ema(float[] values, double decay, boolean warmUp, long updates) {
        if (!(decay >= 0 && decay < 1)) {
            throw new IllegalArgumentException("the EMA decay must be in [0, 1), got " + decay);
        }
        this.decay = decay;
        this.warmUp = warmUp;
        this.values = values.clone();
        this.updates = updates;
    }

    /** Takes in the weights after one more step. */
    public void update(float[] weights) {
        if (weights.length != values.length) {
            throw new IllegalArgumentException(
                    "the average is over " + values.length + " weights, got " + weights.length);
        }
        update(weights, advance(), 0, values.length);
    }

    /** Makes the update of values {@code from} to {@code to} − 1 by the share that {@link #advance} returned. */
    public void update(float[] weights, double share, int from, int to) {
        for (int i = from; i < to; i++) {
            values[i] += (float) (share * (weights[i] - values[i]));
        }
    }

    /** Counts one update and returns 1 − d, for whoever makes it: {@code update}, or a device that has the values. */
    public double advance() {
        double d = warmUp ? Math.min(decay, (1.0 + updates) / (10.0 + updates)) : decay;
        updates++;
        return 1 - d;
    }

    /** The average; the live array. */
    public float[] values() {
        return values;
    }

    /** Number of updates taken in. */
    public long updates() {
        return updates;
    }
}
