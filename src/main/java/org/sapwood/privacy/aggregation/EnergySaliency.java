package org.sapwood.privacy.aggregation;

/**
 * Squared norms of the flat-clipped gradient by matrix.
 *
 * <p>With ‖ĝ‖ ≤ C over all matrices together the scores are nonnegative and add up to at most C², so the L2 sensitivity
 * is C² — not C. They are rounded down to the grid, which keeps that bound whatever the accuracy of the norms.
 *
 * @param clipNorm C
 */
public record EnergySaliency(double clipNorm) implements SaliencyQuery {

    /**
     * Checks the bound.
     *
     * @throws IllegalArgumentException if it is out of range
     */
    public EnergySaliency {
        if (!(clipNorm >= 1e-10 && clipNorm <= 1e10)) {
            throw new IllegalArgumentException("clipNorm must be in [1e-10, 1e10], got " + clipNorm);
        }
    }

    @Override
    public BoundedSum newSum(int matrices) {
        return new BoundedSum(SumGrid.fine(clipNorm * clipNorm, matrices));
    }

    @Override
    public void add(double[] squaredNorms, BoundedSum sum) {
        if (!SaliencyQuery.isFinite(squaredNorms)) {
            return;
        }
        double bound = sum.sensitivity();
        double total = 0;
        for (double squaredNorm : squaredNorms) {
            total += squaredNorm;
        }
        // The margin covers the rounding of the total, the quotient and the products.
        double margin = 1 - (squaredNorms.length + 16) * 0x1p-52;
        double scale = (total > bound ? bound / total : 1) * margin / sum.grid().step();
        long[] units = sum.units();
        for (int i = 0; i < squaredNorms.length; i++) {
            units[i] += (long) Math.floor(squaredNorms[i] * scale);
        }
    }
}
