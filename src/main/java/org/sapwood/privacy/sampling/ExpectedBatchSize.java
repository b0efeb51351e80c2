package org.sapwood.privacy.sampling;

/**
 * The public constant B that a noised sum is divided by: the expected number of examples in a Poisson batch.
 *
 * <p>It is chosen by the user and never computed from a batch or from a private data set's size.
 *
 * @param examples B, at least 1
 */
public record ExpectedBatchSize(int examples) {

    /**
     * Checks the size.
     *
     * @throws IllegalArgumentException if it is below 1
     */
    public ExpectedBatchSize {
        if (examples < 1) {
            throw new IllegalArgumentException("expected batch size must be >= 1, got " + examples);
        }
    }

    /**
     * The inclusion probability q = B/N.
     *
     * @throws IllegalArgumentException if B exceeds the population
     */
    public double samplingRate(int population) {
        if (examples > population) {
            throw new IllegalArgumentException(
                    "expected batch size must be <= " + population + ", the number of examples, got " + examples);
        }
        return (double) examples / population;
    }
}
