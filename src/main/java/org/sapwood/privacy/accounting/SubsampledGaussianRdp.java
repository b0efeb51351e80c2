package org.sapwood.privacy.accounting;

import org.apache.commons.numbers.gamma.LogGamma;

/**
 * Rényi divergence of one step of the Poisson-subsampled Gaussian (Mironov, Talwar, Zhang 2019, arXiv 1908.10530).
 *
 * <p>With μ₀ = N(0, σ²) and u(x) = q·(exp((2x − 1) / 2σ²) − 1), the divergence of order α is log(A) / (α − 1) where
 * A = E over μ₀ of (1 + u)^α. That paper shows that this direction is the larger one. Because E[u] = 0, A − 1 is the
 * expectation of (1 + u)^α − 1 − αu, which is nowhere negative. Both computations below add only such positive terms,
 * in log space, so that nothing cancels for tiny q and nothing overflows for small σ.
 */
final class SubsampledGaussianRdp {

    /** Below this σ the integrand has features too narrow for the quadrature; convexity in α is used instead. */
    private static final double SMALLEST_QUADRATURE_SIGMA = 0.05;

    private SubsampledGaussianRdp() {}

    /**
     * The divergence of one step.
     *
     * @param samplingRate q in [0, 1]
     * @param noiseMultiplier σ > 0
     * @param order α > 1, integer or not
     */
    static double perStep(double samplingRate, double noiseMultiplier, double order) {
        if (samplingRate == 0) {
            return 0;
        }
        if (samplingRate == 1) {
            return order / (2 * noiseMultiplier * noiseMultiplier);
        }
        return logMoment(samplingRate, noiseMultiplier, order) / (order - 1);
    }

    private static double logMoment(double q, double sigma, double order) {
        double floor = Math.floor(order);
        if (order == floor) {
            return logMomentOfInteger(q, sigma, (int) order);
        }
        if (sigma >= SMALLEST_QUADRATURE_SIGMA) {
            return logMomentOfFraction(q, sigma, order);
        }
        double below = floor == 1 ? 0 : logMomentOfInteger(q, sigma, (int) floor);
        double above = logMomentOfInteger(q, sigma, (int) floor + 1);
        return below + (order - floor) * (above - below);
    }

    /** A − 1 = Σ over k ≥ 2 of C(α, k) qᵏ (1 − q)^(α−k) (exp((k² − k) / 2σ²) − 1). */
    private static double logMomentOfInteger(double q, double sigma, int order) {
        double logQ = Math.log(q);
        double logNotQ = Math.log1p(-q);
        double logExcess = Double.NEGATIVE_INFINITY;
        for (int k = 2; k <= order; k++) {
            double logBinomial =
                    LogGamma.value(order + 1.0) - LogGamma.value(k + 1.0) - LogGamma.value(order - k + 1.0);
            double exponent = ((double) k * k - k) / (2 * sigma * sigma);
            double logTerm = logBinomial + k * logQ + (order - k) * logNotQ + LogSpace.expm1(exponent);
            logExcess = LogSpace.add(logExcess, logTerm);
        }
        return LogSpace.log1pExp(logExcess);
    }

    /**
     * The same expectation for any order by the trapezoidal rule. The integrand is analytic in a strip of half-width
     * πσ² around the real line and decays like a Gaussian, so the rule converges exponentially: the chosen spacing
     * leaves a relative error near 1e-14.
     */
    private static double logMomentOfFraction(double q, double sigma, double order) {
        double spacing = Math.min(sigma / 2, sigma * sigma / 2);
        long first = (long) Math.floor(-14 * sigma / spacing);
        long last = (long) Math.ceil((order + 14 * sigma) / spacing);
        double logExcess = Double.NEGATIVE_INFINITY;
        for (long i = first; i <= last; i++) {
            double x = i * spacing;
            double logDensity = -x * x / (2 * sigma * sigma);
            logExcess =
                    LogSpace.add(logExcess, logDensity + logBernoulliGap(q, (2 * x - 1) / (2 * sigma * sigma), order));
        }
        double logNormaliser = Math.log(spacing / (sigma * Math.sqrt(2 * Math.PI)));
        return LogSpace.log1pExp(logExcess + logNormaliser);
    }

    /** log((1 + u)^α − 1 − αu) for u = q(eʷ − 1), the gap in Bernoulli's inequality. */
    private static double logBernoulliGap(double q, double w, double order) {
        if (w > 300) {
            return order * (Math.log(q) + w + Math.log1p((1 - q) / q * Math.exp(-w)));
        }
        double u = q * Math.expm1(w);
        if (Math.abs(u) < 0.02) {
            double term = order * (order - 1) / 2 * u * u;
            double sum = term;
            for (int k = 3; Math.abs(term) > 1e-18 * sum; k++) {
                term *= (order - k + 1) / k * u;
                sum += term;
            }
            return Math.log(sum);
        }
        double logPower = order * Math.log1p(u);
        return logPower < 600
                ? Math.log(Math.expm1(logPower) - order * u)
                : logPower + Math.log1p(-(1 + order * u) * Math.exp(-logPower));
    }
}
