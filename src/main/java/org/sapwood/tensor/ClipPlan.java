package org.sapwood.tensor;

import java.util.List;

/**
 * How the gradients of examples are bounded and put on an integer grid, in numbers alone, so that a device can do it. The
 * reference, which every device follows to the bit, is {@code privacy.aggregation.GradientGrid}.
 *
 * <p>For one example with squared norms n_g of its groups of columns, each times the square of its weight: if any is not
 * finite the example is left out. Otherwise every group gets a factor f_g, and a scale: f_g / step as a float, rounded
 * down. Coordinate x then adds rint(x · scale · weight) to its sum.
 *
 * @param rule how the factors follow from the norms
 * @param bounds C; one for {@code FLAT} and {@code AUTOMATIC}, one per group for {@code BY_GROUP}
 * @param gamma γ of {@code AUTOMATIC}, otherwise unused
 * @param inflation squared norms are multiplied by it before the root is taken, so that no norm is too small; ≥ 1
 * @param step of the grid, a power of two
 * @param groups columns with a norm of their own, which cover the columns of a row without overlap
 */
public record ClipPlan(
        Rule rule, List<Double> bounds, double gamma, double inflation, double step, List<Group> groups) {
    /** How factors follow from norms. */
    public enum Rule {
        /** f = min(1, C / √(inflation · Σ n_g)), the same for all groups. */
        FLAT,
        /** f = C / (√(inflation · Σ n_g) + γ), the same for all groups. */
        AUTOMATIC,
        /** f_g = min(1, C_g / √(inflation · n_g)). */
        BY_GROUP
    }

    /**
     * Columns whose norm is taken together.
     *
     * @param from first column
     * @param length number of columns
     * @param weight power of two by which the columns count
     */
    public record Group(int from, int length, float weight) {}

    public ClipPlan {
        bounds = List.copyOf(bounds);
        groups = List.copyOf(groups);
        if (bounds.size() != (rule == Rule.BY_GROUP ? groups.size() : 1)) {
            throw new IllegalArgumentException(
                    rule + " with " + bounds.size() + " bounds for " + groups.size() + " groups");
        }
    }
}
