package org.sapwood.tensor;

/**
 * Where the gradients of a batch go: a row-major matrix of {@code rows} × {@code stride} coordinates, of which one
 * parameter owns the columns from {@code column} on.
 *
 * <p>Sample b of the batch adds to row b / {@code samplesPerRow}. With one sample per row the rows are per-sample
 * gradients; with K draws of one example side by side, row i is the sum over its K draws; with the whole batch in one
 * row it is the ordinary summed gradient. Up to {@link #ORDERED_SAMPLES} samples of one row are always added in ascending
 * order, each as one finished per-sample gradient, so that the bits of an example do not depend on how a batch is cut into
 * micro-batches. A row of more samples is an ordinary sum; a backend may form it in another order, the same at every run.
 *
 * @param matrix the memory, [rows, stride]
 * @param column first coordinate of the parameter
 * @param samplesPerRow consecutive samples that share a row, ≥ 1
 * @param accumulate whether the first sample of each row adds to what stands there instead of replacing it
 */
public record GradientRows(Tensor matrix, int column, int samplesPerRow, boolean accumulate) {
    /** Up to so many samples of a row are added one after the other. */
    public static final int ORDERED_SAMPLES = 8;

    public GradientRows {
        if (samplesPerRow < 1) {
            throw new IllegalArgumentException("samplesPerRow must be >= 1, got " + samplesPerRow);
        }
        if (column < 0 || column > matrix.dim(1)) {
            throw new IllegalArgumentException("column " + column + " outside a matrix of width " + matrix.dim(1));
        }
    }

    /** Index in the storage of this parameter's first coordinate for {@code sample}. */
    public int start(int sample) {
        return matrix.offset() + sample / samplesPerRow * matrix.dim(1) + column;
    }

    /** Whether {@code sample} adds to its row (true) or overwrites it (false). */
    public boolean adds(int sample) {
        return accumulate || sample % samplesPerRow != 0;
    }
}
