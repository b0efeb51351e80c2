package org.sapwood.privacy.clipping;

import java.util.Arrays;

/**
 * Normalisation instead of clipping: g · C/(‖g‖ + γ) (Bu, Wang, Zha, Karypis 2022, arXiv 2206.07136). Small gradients
 * are enlarged up to C/γ times.
 *
 * @param clipNorm C
 * @param gamma γ, keeps the factor bounded when the gradient vanishes
 */
public record AutomaticClipping(double clipNorm, double gamma) implements ClippingRule {

    /**
     * Checks both.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public AutomaticClipping {
        ClippingRule.requireBound("clipNorm", clipNorm);
        if (!(gamma >= 1e-12 && gamma <= 1e12)) {
            throw new IllegalArgumentException("gamma must be in [1e-12, 1e12], got " + gamma);
        }
    }

    @Override
    public double sensitivity() {
        return clipNorm;
    }

    @Override
    public void requireGroups(int groups) {
        // any number of groups is one norm
    }

    @Override
    public ClippingRule scaledBy(double factor) {
        return new AutomaticClipping(clipNorm * factor, gamma);
    }

    @Override
    public void finiteFactors(double[] squaredNorms, double relativeError) {
        double norm = ClippingRule.certifiedNorm(squaredNorms, 0, squaredNorms.length, relativeError);
        Arrays.fill(squaredNorms, clipNorm / (norm + gamma));
    }
}
