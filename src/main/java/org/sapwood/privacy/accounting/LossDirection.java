package org.sapwood.privacy.accounting;

/**
 * Which neighbour the privacy loss is measured from. The guarantee must hold in both directions and neither dominates
 * the other for a subsampled mechanism.
 */
enum LossDirection {
    /** From the data set that holds the example: P = (1 − q) N(0, σ²) + q N(1, σ²), loss log(P/Q). */
    REMOVE,
    /** From the data set that lacks it: P = N(0, σ²), loss is minus the other one. */
    ADD;

    /** The loss at x given ℓ(x) = log(1 − q + q exp((2x − 1) / 2σ²)). */
    double sign() {
        return this == REMOVE ? 1 : -1;
    }
}
