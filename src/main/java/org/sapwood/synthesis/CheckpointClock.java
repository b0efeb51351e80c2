package org.sapwood.synthesis;

/**
 * Decides when a checkpoint is due: as often as possible, so that a killed run loses little of what its budget bought,
 * yet never more than one twentieth of the time.
 */
public final class CheckpointClock {
    private static final double MAX_SHARE = 0.05;

    private long lastEnd = System.nanoTime();
    private long lastCost;

    /** Runs {@code save} if it is due. */
    public void maybe(Runnable save) {
        if ((System.nanoTime() - lastEnd) * MAX_SHARE >= lastCost) {
            now(save);
        }
    }

    /** Runs {@code save} in any case. */
    public void now(Runnable save) {
        long start = System.nanoTime();
        save.run();
        lastEnd = System.nanoTime();
        lastCost = lastEnd - start;
    }
}
