package org.sapwood.parallel;

import java.util.function.LongConsumer;

/** Counts what several workers have done, for a listener that hears one of them at a time. */
public final class Progress {
    private final LongConsumer listener;
    private long done;

    /** @param listener called with what is done so far */
    public Progress(LongConsumer listener) {
        this.listener = listener;
    }

    /** {@code count} more are done. */
    public synchronized void add(int count) {
        done += count;
        listener.accept(done);
    }
}
