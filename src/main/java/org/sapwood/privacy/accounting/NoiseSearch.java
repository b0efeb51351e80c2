package org.sapwood.privacy.accounting;

import java.util.function.DoubleUnaryOperator;

/**
 * The smallest noise multiplier whose cost meets a target. One evaluation of {@link PldAccountant} takes 10 to 200 ms, so that
 * their number is what a calibration costs: about eight from the guess of {@link RdpAccountant}.
 */
final class NoiseSearch {
    static final double SMALLEST = 1e-3;
    static final double LARGEST = 1e9;

    /** How often interpolation may move the same end of a bracket before it is halved instead. */
    private static final int MOST_ON_ONE_SIDE = 4;

    private NoiseSearch() {}

    /**
     * The smallest σ in [1e-3, 1e9] with cost(σ) ≤ ε for a falling cost, to a relative {@code tolerance}: brackets outward
     * from a guess, then closes in by interpolating log ε over log σ, kept inside the bracket (Illinois rule: Dowell and
     * Jarratt 1971). The upper end always meets the target, and it is what is returned.
     *
     * @return a σ whose cost was evaluated and is at most ε, or ∞ if that of 1e9 is more
     */
    static double smallest(DoubleUnaryOperator cost, double epsilon, double guess, double tolerance) {
        double target = Math.log(epsilon);
        double high = Math.clamp(guess, SMALLEST, LARGEST);
        double low = high;
        double atHigh = logCost(cost, high) - target;
        double atLow = atHigh;
        double factor = 1.2;
        while (atHigh > 0) {
            if (high >= LARGEST) {
                return Double.POSITIVE_INFINITY;
            }
            low = high;
            atLow = atHigh;
            high = Math.min(LARGEST, high * factor);
            factor *= factor;
            atHigh = logCost(cost, high) - target;
        }
        while (atLow <= 0) {
            if (low <= SMALLEST) {
                return SMALLEST;
            }
            high = low;
            atHigh = atLow;
            low = Math.max(SMALLEST, low / factor);
            factor *= factor;
            atLow = logCost(cost, low) - target;
        }
        double least = 1 + tolerance / 3;
        int sameSide = 0;
        while (high > low * (1 + tolerance)) {
            double fraction = Math.abs(sameSide) >= MOST_ON_ONE_SIDE ? 0.5 : atLow / (atLow - atHigh);
            double middle = low * Math.exp(fraction * Math.log(high / low));
            // Beyond the root by a hair, so that the other end closes in as well, though one may already be there.
            middle = Math.clamp(middle * least, low * least, high / least);
            double at = logCost(cost, middle) - target;
            if (at > 0) {
                low = middle;
                atLow = at;
                atHigh = sameSide < 0 ? atHigh / 2 : atHigh;
                sameSide = Math.min(sameSide, 0) - 1;
            } else {
                high = middle;
                atHigh = at;
                atLow = sameSide > 0 ? atLow / 2 : atLow;
                sameSide = Math.max(sameSide, 0) + 1;
            }
        }
        return high;
    }

    /** log ε, kept finite so that interpolation works at both extremes; what is no number meets no target. */
    private static double logCost(DoubleUnaryOperator cost, double sigma) {
        double epsilon = cost.applyAsDouble(sigma);
        return Math.log(Double.isNaN(epsilon) ? 1e300 : Math.clamp(epsilon, 1e-300, 1e300));
    }
}
