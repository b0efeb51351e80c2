package org.sapwood.privacy.accounting;

import org.apache.commons.numbers.gamma.Erf;
import org.apache.commons.numbers.gamma.Erfc;
import org.apache.commons.numbers.gamma.Erfcx;

/**
 * The exact privacy curve of the Gaussian mechanism without subsampling (Balle and Wang 2018, arXiv 1805.06530).
 *
 * <p>Any composition of unsubsampled Gaussian queries is again one, with μ² = Σ steps / σ².
 */
final class GaussianMechanism {

    private static final double SQRT2 = Math.sqrt(2);

    private GaussianMechanism() {}

    /** δ at ε = 0, the total-variation distance of N(0, 1) and N(μ, 1). */
    static double delta0(double mu) {
        return Erf.value(mu / (2 * SQRT2));
    }

    /**
     * δ(ε) = Φ(μ/2 − ε/μ) − e^ε Φ(−μ/2 − ε/μ).
     *
     * <p>Where both terms are tails they are written with the scaled complementary error function, so that the common
     * factor is taken out before the subtraction.
     */
    static double delta(double mu, double epsilon) {
        double a = (epsilon / mu - mu / 2) / SQRT2;
        double b = (epsilon / mu + mu / 2) / SQRT2;
        if (a > 0) {
            return 0.5 * Math.exp(-a * a) * (Erfcx.value(a) - Erfcx.value(b));
        }
        double subtrahend = b > 0 ? Math.exp(-a * a) * Erfcx.value(b) : Math.exp(epsilon) * Erfc.value(b);
        return 0.5 * (Erfc.value(a) - subtrahend);
    }

    /** The smallest ε with {@code delta(mu, ε) <= delta}, from above and to a relative 1e-10. */
    static double epsilon(double mu, double delta) {
        if (delta(mu, 0) <= delta) {
            return 0;
        }
        double low = 0;
        double high = 1;
        while (delta(mu, high) > delta) {
            low = high;
            high *= 2;
        }
        while (high - low > 1e-12 * high) {
            double middle = (low + high) / 2;
            if (delta(mu, middle) > delta) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return high * (1 + 1e-10);
    }
}
