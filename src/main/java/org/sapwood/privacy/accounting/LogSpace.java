package org.sapwood.privacy.accounting;

/** Sums and differences of positive numbers kept as natural logarithms. */
final class LogSpace {

    private LogSpace() {}

    /** log(eᵃ + eᵇ). */
    static double add(double a, double b) {
        double larger = Math.max(a, b);
        if (larger == Double.NEGATIVE_INFINITY) {
            return larger;
        }
        return larger + Math.log1p(Math.exp(Math.min(a, b) - larger));
    }

    /** log(eˣ − 1) for x > 0, exact to rounding for small and large x. */
    static double expm1(double x) {
        return x > 40 ? x : Math.log(Math.expm1(x));
    }

    /** log(1 + eˣ). */
    static double log1pExp(double x) {
        return x > 40 ? x : Math.log1p(Math.exp(x));
    }
}
