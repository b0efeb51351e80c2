package org.sapwood.synthesis;

/** Hears how long work goes on. Never told a statistic of private data. */
@FunctionalInterface
public interface ProgressListener {
    /** Ignores everything. */
    ProgressListener SILENT = (done, total, epsilonSpent, imagesPerSecond) -> {};

    /**
     * Called after a step.
     *
     * @param done steps finished
     * @param total steps planned
     * @param epsilonSpent ε of everything recorded so far, NaN where the work is not private
     * @param imagesPerSecond images through the model per second, counted by expected batch size where the realised one
     *     is private
     */
    void step(long done, long total, double epsilonSpent, double imagesPerSecond);
}
