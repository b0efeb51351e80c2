package org.sapwood.privacy.clipping;

import java.util.Arrays;
import java.util.stream.DoubleStream;

/**
 * One bound per parameter group; the sensitivity is √(Σ C_l²).
 *
 * @param bounds C_l by group
 */
public record LayerWiseClipping(double... bounds) implements ClippingRule {

    /**
     * Checks and copies the bounds.
     *
     * @throws IllegalArgumentException if there are none or one is out of range
     */
    public LayerWiseClipping {
        if (bounds.length == 0) {
            throw new IllegalArgumentException("layer-wise clipping needs at least one bound");
        }
        for (int i = 0; i < bounds.length; i++) {
            ClippingRule.requireBound("bounds[" + i + "]", bounds[i]);
        }
        bounds = bounds.clone();
    }

    /** Equal bounds C/√L, so that the sensitivity is C. */
    public static LayerWiseClipping equal(double clipNorm, int groups) {
        double[] bounds = new double[groups];
        Arrays.fill(bounds, clipNorm / Math.sqrt(groups));
        return new LayerWiseClipping(bounds);
    }

    @Override
    public double[] bounds() {
        return bounds.clone();
    }

    /** √(Σ C_l²), rounded up. */
    @Override
    public double sensitivity() {
        double sum = DoubleStream.of(bounds).map(bound -> bound * bound).sum();
        return Math.sqrt(sum) * (1 + 0x1p-50);
    }

    @Override
    public void requireGroups(int groups) {
        if (groups != bounds.length) {
            throw new IllegalArgumentException(
                    "layer-wise clipping has " + bounds.length + " bounds, but there are " + groups + " groups");
        }
    }

    @Override
    public ClippingRule scaledBy(double factor) {
        return new LayerWiseClipping(
                DoubleStream.of(bounds).map(bound -> bound * factor).toArray());
    }

    @Override
    public void finiteFactors(double[] squaredNorms, double relativeError) {
        requireGroups(squaredNorms.length);
        for (int i = 0; i < bounds.length; i++) {
            double norm = ClippingRule.certifiedNorm(squaredNorms, i, i + 1, relativeError);
            squaredNorms[i] = norm > bounds[i] ? bounds[i] / norm : 1;
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LayerWiseClipping that && Arrays.equals(bounds, that.bounds);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bounds);
    }

    @Override
    public String toString() {
        return "LayerWiseClipping" + Arrays.toString(bounds);
    }
}
