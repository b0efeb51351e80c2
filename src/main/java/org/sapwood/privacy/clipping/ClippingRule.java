package org.sapwood.privacy.clipping;

import java.util.Arrays;

/**
 * How one example's gradient is scaled so that its L2 norm is bounded.
 *
 * <p>Norms come in as squares, one per parameter group, accumulated in fp64. They may under-read the truth by a stated
 * relative error; the rules inflate them by it, so that the bound holds in exact arithmetic.
 */
public sealed interface ClippingRule permits FlatClipping, LayerWiseClipping, AutomaticClipping {

    /** Roundings of at most 2⁻⁵² each, beside those of the sum over groups, that {@link #certifiedNorm} covers. */
    int NORM_ROUNDINGS = 8;

    /** The largest L2 norm, over all groups together, that a scaled gradient can have. */
    double sensitivity();

    /**
     * Whether the rule works for this number of parameter groups.
     *
     * @throws IllegalArgumentException if it does not
     */
    void requireGroups(int groups);

    /** The same rule with every bound multiplied by a positive factor. */
    ClippingRule scaledBy(double factor);

    /**
     * Computes one factor per group. If any norm is NaN, infinite or negative every factor is exactly 0, and the caller
     * must not touch the example's gradient at all (0 · NaN is NaN).
     *
     * @param squaredNorms squared L2 norms by group, of the mean over the example's draws; replaced by the factors
     * @param relativeError by how much, relatively, a squared norm may be below the truth
     * @return whether the example counts; false if it was non-finite
     */
    default boolean factors(double[] squaredNorms, double relativeError) {
        for (double squaredNorm : squaredNorms) {
            if (!(squaredNorm >= 0 && squaredNorm < Double.POSITIVE_INFINITY)) {
                Arrays.fill(squaredNorms, 0);
                return false;
            }
        }
        finiteFactors(squaredNorms, relativeError);
        return true;
    }

    /** {@link #factors} for norms known to be finite. */
    void finiteFactors(double[] squaredNorms, double relativeError);

    /**
     * An upper bound on the L2 norm over groups {@code from … to − 1}: rounding of the sum, the root and of a division
     * by the result is covered.
     */
    static double certifiedNorm(double[] squaredNorms, int from, int to, double relativeError) {
        double sum = 0;
        for (int i = from; i < to; i++) {
            sum += squaredNorms[i];
        }
        return Math.sqrt(sum * (1 + relativeError + (to - from + NORM_ROUNDINGS) * 0x1p-52));
    }

    /**
     * Checks a bound.
     *
     * @throws IllegalArgumentException unless it is in [1e-20, 1e20]
     */
    static void requireBound(String name, double bound) {
        if (!(bound >= 1e-20 && bound <= 1e20)) {
            throw new IllegalArgumentException(name + " must be in [1e-20, 1e20], got " + bound);
        }
    }
}
