package org.sapwood.privacy.accounting;

import java.util.List;

/**
 * An upper bound on ε for a composition of Poisson-subsampled Gaussian queries under {@link Adjacency#ADD_REMOVE}.
 *
 * <p>Every implementation is a proven bound: it may report more than the truth, never less. Events may be of any
 * kinds and in any order (adaptive composition).
 */
public sealed interface Accountant permits RdpAccountant, PldAccountant {

    /**
     * The ε for which the composition of all events is (ε, δ)-differentially private.
     *
     * @param events what was or will be asked
     * @param delta δ in (0, 1)
     * @return ε in [0, ∞]
     * @throws IllegalArgumentException if {@code delta} is out of range
     */
    double epsilon(List<PrivacyEvent> events, double delta);

    /**
     * Checks δ.
     *
     * @throws IllegalArgumentException unless {@code 0 < delta < 1}
     */
    static void requireDelta(double delta) {
        if (!(delta > 0 && delta < 1)) {
            throw new IllegalArgumentException("delta must be in (0, 1), got " + delta);
        }
    }
}
