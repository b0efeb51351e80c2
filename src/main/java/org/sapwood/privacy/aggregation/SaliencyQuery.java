package org.sapwood.privacy.aggregation;

/**
 * The one private query that ranks matrices by how much the sensitive data wants to change them (DP-SAPF, arXiv
 * 2605.30312). Every sampled example adds a bounded score per matrix; the {@link BoundedSum} of scores is noised once.
 */
public sealed interface SaliencyQuery permits EnergySaliency, VoteSaliency {

    /** An empty sum of scores over this many matrices, with this query's sensitivity. */
    BoundedSum newSum(int matrices);

    /**
     * Adds one example's scores. A non-finite example adds nothing.
     *
     * @param squaredNorms squared L2 norm of the example's gradient by matrix (mean over its draws, before clipping)
     * @param sum from {@link #newSum}
     */
    void add(double[] squaredNorms, BoundedSum sum);

    /** Whether every number is finite and at least 0. */
    static boolean isFinite(double[] squaredNorms) {
        for (double squaredNorm : squaredNorms) {
            if (!(squaredNorm >= 0 && squaredNorm < Double.POSITIVE_INFINITY)) {
                return false;
            }
        }
        return true;
    }
}
