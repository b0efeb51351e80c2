package org.sapwood.privacy.accounting;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/**
 * Finds noise multipliers that meet a privacy target.
 *
 * <p>The searches are conservative: a returned multiplier was itself evaluated and its ε is at most the target.
 *
 * @param accountant the bound that must meet the target
 * @param epsilon target ε > 0
 * @param delta target δ in (0, 1)
 */
public record Calibration(Accountant accountant, double epsilon, double delta) {

    /** Adaptive selection noise may raise the training noise by this factor. */
    public static final double SELECTION_OVERHEAD = 1.03;

    /**
     * Checks the target.
     *
     * @throws IllegalArgumentException if ε or δ is out of range
     */
    public Calibration {
        if (!(epsilon > 0 && epsilon < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("epsilon must be finite and > 0, got " + epsilon);
        }
        Accountant.requireDelta(delta);
    }

    /**
     * The smallest noise multiplier σ, to a relative 1e-6, with which {@code event} together with the fixed events
     * meets the target.
     *
     * @param event the steps to calibrate; its own multiplier is ignored
     * @param fixed events whose noise is settled, possibly none
     * @throws IllegalArgumentException if the fixed events alone exceed the target
     */
    public double noiseMultiplier(PrivacyEvent event, List<PrivacyEvent> fixed) {
        double alone = accountant.epsilon(fixed, delta);
        if (alone > epsilon) {
            throw new IllegalArgumentException("the fixed events alone cost epsilon " + alone + " at delta " + delta
                    + ", more than the target " + epsilon + ": give them more noise or fewer steps");
        }
        // RDP is quick and close, a good place to start from, unless its looser bound leaves no budget at all.
        RdpAccountant rdp = new RdpAccountant();
        double quick = accountant instanceof RdpAccountant || rdp.epsilon(fixed, delta) >= epsilon
                ? 1
                : smallest(sigma -> with(rdp, event, sigma, fixed), 1, 1e-3, event.name());
        double tolerance = 1e-6;
        return smallest(sigma -> with(accountant, event, sigma, fixed), quick, tolerance, event.name());
    }

    /**
     * The smallest selection noise that costs at most 3 % more training noise: with the returned σ_s, calibrating the
     * training steps gives at most 1.03 times the multiplier they would need without the selection query.
     *
     * @param selection the selection query; its own multiplier is ignored
     * @param training the training steps; their own multiplier is ignored
     * @param fixed further events, possibly none
     * @throws IllegalArgumentException if the fixed events alone exceed the target
     */
    public double selectionNoiseMultiplier(PrivacyEvent selection, PrivacyEvent training, List<PrivacyEvent> fixed) {
        double alone = noiseMultiplier(training, fixed);
        List<PrivacyEvent> settled = new ArrayList<>(fixed);
        settled.add(training.withNoiseMultiplier(SELECTION_OVERHEAD * alone));
        return smallest(
                sigma -> with(accountant, selection, sigma, settled), Math.max(1, alone), 1e-4, selection.name());
    }

    private double with(Accountant by, PrivacyEvent event, double sigma, List<PrivacyEvent> others) {
        List<PrivacyEvent> all = new ArrayList<>(others);
        all.add(event.withNoiseMultiplier(sigma));
        return by.epsilon(all, delta);
    }

    private double smallest(DoubleUnaryOperator cost, double guess, double tolerance, String name) {
        double sigma = NoiseSearch.smallest(cost, epsilon, guess, tolerance);
        if (sigma == Double.POSITIVE_INFINITY) {
            throw new IllegalArgumentException("no noise multiplier up to " + NoiseSearch.LARGEST + " brings event '"
                    + name + "' to epsilon " + epsilon + " at delta " + delta
                    + ": the other events leave no budget, give them more noise or fewer steps");
        }
        return sigma;
    }
}
