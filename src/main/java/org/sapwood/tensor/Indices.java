package org.sapwood.tensor;

/**
 * A fixed-length vector of non-negative integers: class labels, embedding rows. The content may change between replays
 * of a tape; the length may not.
 */
public final class Indices {
    private final int[] values;

    /** A vector of {@code length} zeros. */
    public Indices(int length) {
        this.values = new int[length];
    }

    /** The live array, shared with the caller. */
    public int[] values() {
        return values;
    }

    public int length() {
        return values.length;
    }
}
