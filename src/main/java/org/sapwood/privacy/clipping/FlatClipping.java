package org.sapwood.privacy.clipping;

import java.util.Arrays;

/**
 * One bound over all trainable parameters together: g · min(1, C/‖g‖) (Abadi et al. 2016).
 *
 * @param clipNorm C
 */
public record FlatClipping(double clipNorm) implements ClippingRule {

    /**
     * Checks the bound.
     *
     * @throws IllegalArgumentException if it is out of range
     */
    public FlatClipping {
        ClippingRule.requireBound("clipNorm", clipNorm);
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
        return new FlatClipping(clipNorm * factor);
    }

    @Override
    public void finiteFactors(double[] squaredNorms, double relativeError) {
        double norm = ClippingRule.certifiedNorm(squaredNorms, 0, squaredNorms.length, relativeError);
        Arrays.fill(squaredNorms, norm > clipNorm ? clipNorm / norm : 1);
    }
}
