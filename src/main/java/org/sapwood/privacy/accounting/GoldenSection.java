package org.sapwood.privacy.accounting;

import java.util.function.DoubleUnaryOperator;

/** Golden-section search for the minimum of a function with one valley. */
final class GoldenSection {

    private static final double RATIO = (Math.sqrt(5) - 1) / 2;

    private GoldenSection() {}

    /** The abscissa of the minimum over [low, high], to within {@code tolerance}. */
    static double minimise(DoubleUnaryOperator function, double low, double high, double tolerance) {
        double a = low;
        double b = high;
        double left = b - RATIO * (b - a);
        double right = a + RATIO * (b - a);
        double atLeft = function.applyAsDouble(left);
        double atRight = function.applyAsDouble(right);
        while (b - a > tolerance) {
            if (atLeft <= atRight) {
                b = right;
                right = left;
                atRight = atLeft;
                left = b - RATIO * (b - a);
                atLeft = function.applyAsDouble(left);
            } else {
                a = left;
                left = right;
                atLeft = atRight;
                right = a + RATIO * (b - a);
                atRight = function.applyAsDouble(right);
            }
        }
        return (a + b) / 2;
    }
}
