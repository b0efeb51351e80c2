package org.sapwood.privacy.accounting;

/**
 * The privacy loss of one Poisson-subsampled Gaussian step as a function of the output x.
 *
 * <p>With Q = N(0, σ²) and P = (1 − q) N(0, σ²) + q N(1, σ²) the loss is ℓ(x) = log(P/Q)(x) =
 * log(1 − q + q eʷ), w = (2x − 1) / 2σ², increasing in x from log(1 − q) to ∞.
 *
 * @param samplingRate q in (0, 1]
 * @param noiseMultiplier σ > 0
 * @param steps how often the step is repeated
 */
record SubsampledGaussianLoss(double samplingRate, double noiseMultiplier, long steps) {

    /** w(x), the loss without subsampling. */
    double exponent(double x) {
        return (2 * x - 1) / (2 * noiseMultiplier * noiseMultiplier);
    }

    /** ℓ(x). */
    double loss(double x) {
        double w = exponent(x);
        return w > 30
                ? w + Math.log(samplingRate) + Math.log1p((1 - samplingRate) / samplingRate * Math.exp(-w))
                : Math.log1p(samplingRate * Math.expm1(w));
    }

    /** The w for which the loss is {@code loss}; −∞ at and below the asymptote log(1 − q). */
    double exponentAt(double loss) {
        double excess = Math.expm1(loss) / samplingRate;
        if (loss > 30) {
            return loss - Math.log(samplingRate) + Math.log1p(-(1 - samplingRate) * Math.exp(-loss));
        }
        return excess <= -1 ? Double.NEGATIVE_INFINITY : Math.log1p(excess);
    }

    /** The x at which w(x) is {@code exponent}. */
    double outputAt(double exponent) {
        return noiseMultiplier * noiseMultiplier * exponent + 0.5;
    }

    /** Density of N(mean, σ²). */
    double normalDensity(double x, double mean) {
        double t = (x - mean) / noiseMultiplier;
        return Math.exp(-0.5 * t * t) / (noiseMultiplier * Math.sqrt(2 * Math.PI));
    }

    /** Density of the output under P of the given direction. */
    double density(LossDirection direction, double x) {
        double without = normalDensity(x, 0);
        return direction == LossDirection.ADD
                ? without
                : (1 - samplingRate) * without + samplingRate * normalDensity(x, 1);
    }

    /** Total-variation distance between P and Q: δ at ε = 0 of one step, in both directions. */
    double totalVariation() {
        return samplingRate * GaussianMechanism.delta0(1 / noiseMultiplier);
    }
}
