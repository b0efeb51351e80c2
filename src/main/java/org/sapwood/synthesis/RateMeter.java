package org.sapwood.synthesis;

/** Images per second over the recent past. */
public final class RateMeter {
    /** Weight that a second-old observation keeps. */
    private static final double MEMORY = 0.9;

    private long last = System.nanoTime();
    private double images;
    private double seconds;

    /** Counts images that were processed since the last call. */
    public void add(double count) {
        long now = System.nanoTime();
        double elapsed = Math.max(1, now - last) * 1e-9;
        last = now;
        double keep = Math.pow(MEMORY, elapsed);
        images = images * keep + count;
        seconds = seconds * keep + elapsed;
    }

    /** 0 before anything was counted. */
    public double perSecond() {
        return seconds == 0 ? 0 : images / seconds;
    }
}
