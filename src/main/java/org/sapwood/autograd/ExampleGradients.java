package org.sapwood.autograd;

/**
 * The gradients of the examples of a micro-batch, whether they are in memory or can be made again. Coordinates are those
 * of the {@link ParameterVector}; stretches of them begin and end where parameters do.
 */
public interface ExampleGradients {
    /** Number of examples. */
    int examples();

    /**
     * Squared norms of coordinates [from, from + length) by example: never less, up to the rounding of an fp64 sum, than
     * those of what {@link #addTo} adds. Not finite if a gradient is not.
     */
    void squaredNorms(int from, int length, double[] out);

    /**
     * Adds coordinates [from, from + length) of every example, times its scale, to an exact integer sum:
     * sums[j] += rint(g[j] · scale). A scale of 0 marks an example that is not touched.
     *
     * @param scales by example
     */
    void addTo(long[] sums, int from, int length, float[] scales);
}
