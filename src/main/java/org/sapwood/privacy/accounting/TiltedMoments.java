package org.sapwood.privacy.accounting;

import java.util.ArrayList;
import java.util.List;

/**
 * The cumulant generating function K(λ) = Σ steps · log E[e^{λ·loss}] of a composition, by quadrature.
 *
 * <p>It only plans the discretisation (which tilt, which window, how fine); no bound rests on it.
 */
final class TiltedMoments {

    private record Nodes(long steps, double[] logWeights, double[] losses) {
        double logMoment(double lambda) {
            double largest = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < losses.length; i++) {
                largest = Math.max(largest, logWeights[i] + lambda * losses[i]);
            }
            double sum = 0;
            for (int i = 0; i < losses.length; i++) {
                sum += Math.exp(logWeights[i] + lambda * losses[i] - largest);
            }
            return largest + Math.log(sum);
        }
    }

    private static final int MOST_NODES = 20_000;

    private final List<Nodes> events = new ArrayList<>();

    /** Places quadrature nodes over outputs in [−reach·σ, 1 + reach·σ]. */
    TiltedMoments(List<SubsampledGaussianLoss> losses, LossDirection direction, double reach) {
        for (SubsampledGaussianLoss loss : losses) {
            double sigma = loss.noiseMultiplier();
            double length = 1 + 2 * reach * sigma;
            int cells = (int) Math.min(MOST_NODES, Math.ceil(length / Math.min(sigma / 32, sigma * sigma / 24)));
            double spacing = length / cells;
            double[] logWeights = new double[cells + 1];
            double[] values = new double[cells + 1];
            for (int i = 0; i <= cells; i++) {
                double x = -reach * sigma + i * spacing;
                double weight = i == 0 || i == cells ? spacing / 2 : spacing;
                logWeights[i] = Math.log(weight * loss.density(direction, x));
                values[i] = direction.sign() * loss.loss(x);
            }
            events.add(new Nodes(loss.steps(), logWeights, values));
        }
    }

    /** K(λ) for any real λ. */
    double cumulant(double lambda) {
        double total = 0;
        for (Nodes nodes : events) {
            total += nodes.steps * nodes.logMoment(lambda);
        }
        return total;
    }

    /** The ε at which the Chernoff-type bound of Canonne, Kamath, Steinke at order λ + 1 meets δ. */
    double epsilonBound(double lambda, double logDelta) {
        return (cumulant(lambda) - Math.log1p(lambda) - lambda * Math.log1p(1 / lambda) - logDelta) / lambda;
    }

    /**
     * The λ in [1e-6, 1e9] whose {@link #epsilonBound} is least, to a few percent; where that would be negative, the
     * smallest λ at which the bound is 0, so that the tilted composition is centred no lower than needed.
     */
    double bestTilt(double logDelta) {
        double low = Math.log(1e-6);
        double best = GoldenSection.minimise(
                logLambda -> epsilonBound(Math.exp(logLambda), logDelta), low, Math.log(1e9), 0.02);
        if (epsilonBound(Math.exp(best), logDelta) >= 0) {
            return Math.exp(best);
        }
        while (best - low > 0.02) {
            double middle = (low + best) / 2;
            if (epsilonBound(Math.exp(middle), logDelta) > 0) {
                low = middle;
            } else {
                best = middle;
            }
        }
        return Math.exp(best);
    }

    /** A level that the tilted composed loss exceeds with probability at most e^{−logOdds}. */
    double upperLevel(double lambda, double scale, double logOdds) {
        double here = cumulant(lambda);
        double theta = Math.exp(GoldenSection.minimise(
                t -> (cumulant(lambda + Math.exp(t)) - here + logOdds) / Math.exp(t),
                Math.log(scale * 1e-3),
                Math.log(scale * 1e4),
                0.05));
        return (cumulant(lambda + theta) - here + logOdds) / theta;
    }

    /** A level that the tilted composed loss falls below with probability at most e^{−logOdds}. */
    double lowerLevel(double lambda, double scale, double logOdds) {
        double here = cumulant(lambda);
        double theta = Math.exp(GoldenSection.minimise(
                t -> (cumulant(lambda - Math.exp(t)) - here + logOdds) / Math.exp(t),
                Math.log(scale * 1e-3),
                Math.log(scale * 1e4),
                0.05));
        return -(cumulant(lambda - theta) - here + logOdds) / theta;
    }
}
