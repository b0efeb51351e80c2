package org.sapwood.privacy.aggregation;

/**
 * What the integers of a {@link BoundedSum} mean.
 *
 * @param step the value of one unit, a power of two
 * @param sensitivity largest L2 norm, in real units, of what one example adds
 * @param coordinates how many numbers are summed
 */
public record SumGrid(double step, double sensitivity, int coordinates) {

    /**
     * Checks every component.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public SumGrid {
        if (!(step > 0) || Math.getExponent(step) < -200 || step != Math.scalb(1.0, Math.getExponent(step))) {
            throw new IllegalArgumentException("step must be a power of two, got " + step);
        }
        if (!(sensitivity >= step && sensitivity < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("sensitivity must be finite and >= the step, got " + sensitivity);
        }
        if (coordinates < 1) {
            throw new IllegalArgumentException("coordinates must be >= 1, got " + coordinates);
        }
    }

    /** The grid with a step of about the sensitivity times 2⁻²²: between that and half of it. */
    public static SumGrid fine(double sensitivity, int coordinates) {
        return new SumGrid(Math.scalb(1.0, Math.getExponent(sensitivity) - 22), sensitivity, coordinates);
    }
}
