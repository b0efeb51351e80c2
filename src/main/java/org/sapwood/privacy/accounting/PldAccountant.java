package org.sapwood.privacy.accounting;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Privacy-loss-distribution accountant: the reported ε, within about 1e-4 of the truth and never below it.
 *
 * <p>Each kind of step is replaced by a discrete loss distribution that dominates it ({@link LossGrid}), in both
 * directions of add/remove; the composition is a convolution, done by raising a Fourier transform to the number of
 * steps ({@link LossComposition}). Everything that a computer must leave out is counted against the guarantee.
 *
 * <p>Two cases need no grid: when every example is always included the curve of the Gaussian mechanism is exact, and
 * when the total-variation distances add up to at most δ then ε is 0. The result is the smaller of this bound and
 * {@link RdpAccountant}'s; both are valid, and for settings at the edge of double precision (σ below about 0.01) the
 * second can be the better one.
 *
 * <p>Stateless but for the remembered Rényi divergences; thread-safe.
 */
public final class PldAccountant implements Accountant {

    private record Query(double samplingRate, double noiseMultiplier) {}

    private final RdpAccountant rdp = new RdpAccountant();

    @Override
    public double epsilon(List<PrivacyEvent> events, double delta) {
        Accountant.requireDelta(delta);
        if (events.stream().anyMatch(PrivacyEvent::isUnprotected)) {
            return Double.POSITIVE_INFINITY;
        }
        List<SubsampledGaussianLoss> losses = distinctLosses(events);
        double totalVariation = losses.stream()
                .mapToDouble(loss -> loss.steps() * loss.totalVariation())
                .sum();
        if (totalVariation * (1 + 1e-12) <= delta) {
            return 0;
        }
        if (losses.size() == 1 && losses.getFirst().samplingRate() == 1) {
            SubsampledGaussianLoss only = losses.getFirst();
            return GaussianMechanism.epsilon(Math.sqrt((double) only.steps()) / only.noiseMultiplier(), delta);
        }
        double bound = Arrays.stream(LossDirection.values())
                .parallel()
                .mapToDouble(direction -> new LossComposition(losses, direction, delta).epsilon())
                .max()
                .orElseThrow();
        return Math.min(bound, rdp.epsilon(events, delta));
    }

    /** Merges events that differ only in name, and all unsubsampled ones into a single Gaussian step. */
    private static List<SubsampledGaussianLoss> distinctLosses(List<PrivacyEvent> events) {
        Map<Query, Long> steps = new LinkedHashMap<>();
        double squaredMu = 0;
        for (PrivacyEvent event : events) {
            if (event.isFree()) {
                continue;
            }
            double sigma = event.noiseMultiplier();
            if (event.samplingRate() == 1) {
                squaredMu += event.steps() / (sigma * sigma);
            } else {
                steps.merge(new Query(event.samplingRate(), sigma), (long) event.steps(), Long::sum);
            }
        }
        List<SubsampledGaussianLoss> losses = new ArrayList<>();
        if (squaredMu > 0) {
            losses.add(new SubsampledGaussianLoss(1, 1 / Math.sqrt(squaredMu), 1));
        }
        steps.forEach((query, count) ->
                losses.add(new SubsampledGaussianLoss(query.samplingRate, query.noiseMultiplier, count)));
        return losses;
    }
}
