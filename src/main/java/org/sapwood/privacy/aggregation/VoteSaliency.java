package org.sapwood.privacy.aggregation;

/**
 * One vote for each of the v matrices with the largest norms. No clipping is needed: an example adds v ones, so the L2
 * sensitivity is √v.
 *
 * @param votes v, at least 1
 */
public record VoteSaliency(int votes) implements SaliencyQuery {

    /**
     * Checks the number of votes.
     *
     * @throws IllegalArgumentException if it is below 1
     */
    public VoteSaliency {
        if (votes < 1) {
            throw new IllegalArgumentException("votes must be >= 1, got " + votes);
        }
    }

    @Override
    public BoundedSum newSum(int matrices) {
        // One vote is 2²⁰ units, so that the noise is not rounded to whole votes.
        return new BoundedSum(new SumGrid(0x1p-20, Math.sqrt(votes) * (1 + 0x1p-50), matrices));
    }

    @Override
    public void add(double[] squaredNorms, BoundedSum sum) {
        if (!SaliencyQuery.isFinite(squaredNorms)) {
            return;
        }
        long[] units = sum.units();
        long vote = (long) (1 / sum.grid().step());
        boolean[] voted = new boolean[squaredNorms.length];
        for (int v = 0; v < Math.min(votes, squaredNorms.length); v++) {
            int best = -1;
            for (int i = 0; i < squaredNorms.length; i++) {
                if (!voted[i] && (best < 0 || squaredNorms[i] > squaredNorms[best])) {
                    best = i;
                }
            }
            voted[best] = true;
            units[best] += vote;
        }
    }
}
