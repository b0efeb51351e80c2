package org.sapwood.privacy.accounting;

import java.util.Objects;

/**
 * A number of identical Poisson-subsampled Gaussian queries.
 *
 * <p>Each of the {@code steps} queries includes every example independently with probability {@code samplingRate},
 * sums bounded contributions whose L2 sensitivity is {@code sensitivity}, and adds Gaussian noise of standard
 * deviation {@code noiseMultiplier · sensitivity} to every coordinate. The accountants need only the rate, the
 * multiplier and the number of steps; the sensitivity is kept so that a ledger says how much noise that was.
 *
 * @param name what the query is, unique in a ledger, e.g. {@code "training"}; not blank
 * @param samplingRate inclusion probability q in [0, 1]
 * @param noiseMultiplier σ, noise standard deviation over sensitivity, in [0, ∞); 0 means no noise and no privacy
 * @param sensitivity L2 sensitivity of one query under {@link Adjacency#ADD_REMOVE}, in (0, ∞)
 * @param steps how many such queries, at least 0
 */
public record PrivacyEvent(String name, double samplingRate, double noiseMultiplier, double sensitivity, int steps) {

    /**
     * Checks every component.
     *
     * @throws IllegalArgumentException if a component is out of its range; the message names it
     */
    public PrivacyEvent {
        Objects.requireNonNull(name, "name");
        if (name.isBlank()) {
            throw new IllegalArgumentException("event name must not be blank");
        }
        if (!(samplingRate >= 0 && samplingRate <= 1)) {
            throw new IllegalArgumentException("samplingRate must be in [0, 1], got " + samplingRate);
        }
        if (!(noiseMultiplier >= 0 && noiseMultiplier < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("noiseMultiplier must be finite and >= 0, got " + noiseMultiplier);
        }
        if (!(sensitivity > 0 && sensitivity < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("sensitivity must be finite and > 0, got " + sensitivity);
        }
        if (steps < 0) {
            throw new IllegalArgumentException("steps must be >= 0, got " + steps);
        }
    }

    /** The same query with another number of steps. */
    public PrivacyEvent withSteps(int newSteps) {
        return new PrivacyEvent(name, samplingRate, noiseMultiplier, sensitivity, newSteps);
    }

    /** The same query with another noise multiplier. */
    public PrivacyEvent withNoiseMultiplier(double newNoiseMultiplier) {
        return new PrivacyEvent(name, samplingRate, newNoiseMultiplier, sensitivity, steps);
    }

    /** Whether the event reveals nothing: no step, or no example is ever included. */
    public boolean isFree() {
        return steps == 0 || samplingRate == 0;
    }

    /** Whether the event reveals everything: a step on real examples without noise. */
    public boolean isUnprotected() {
        return !isFree() && noiseMultiplier == 0;
    }
}
