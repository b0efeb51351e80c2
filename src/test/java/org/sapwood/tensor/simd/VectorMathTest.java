package org.sapwood.tensor.simd;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.DoubleUnaryOperator;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import org.apache.commons.numbers.gamma.Erfc;
import org.junit.jupiter.api.Test;

/** The errors that the comments of {@link VectorMath} state, over all the range where a result is neither 0 nor 1. */
class VectorMathTest {
    private static final int STEPS = 60_000;

    /** The largest of {@code error} over the points, and where it is. */
    private static void assertWithin(
            double bound, double from, double to, UnaryOperator<FloatVector> function, ToDoubleFunction<Point> error) {
        Point worst = new Point(from, Double.NaN);
        double largest = -1;
        float[] values = new float[Lanes.V];
        for (int step = 0; step <= STEPS; step++) {
            float x = (float) (from + (to - from) * step / STEPS);
            function.apply(FloatVector.broadcast(Lanes.LANES, x)).intoArray(values, 0);
            Point point = new Point(x, values[0]);
            double size = error.applyAsDouble(point);
            if (!(size <= largest)) {
                largest = size;
                worst = point;
            }
        }
        assertTrue(largest <= bound, "error " + largest + " at " + worst + ", allowed " + bound);
    }

    private record Point(double x, double y) {
        double absoluteError(DoubleUnaryOperator exact) {
            return Math.abs(y - exact.applyAsDouble(x));
        }

        double relativeError(DoubleUnaryOperator exact) {
            return absoluteError(exact) / Math.abs(exact.applyAsDouble(x));
        }
    }

    private static FloatVector normal(FloatVector x) {
        return VectorMath.normal(x, VectorMath.bell(x));
    }

    private static double normal(double x) {
        return Erfc.value(-x / Math.sqrt(2)) / 2;
    }

    @Test
    void distributionFunctionOfTheNormal() {
        assertWithin(0x1p-22, -14, 14, VectorMathTest::normal, p -> p.absoluteError(VectorMathTest::normal));
        assertWithin(0x1p-21, -2.3, 9, VectorMathTest::normal, p -> p.relativeError(VectorMathTest::normal));
        assertWithin(0x1p-17, -13, -2.3, VectorMathTest::normal, p -> p.relativeError(VectorMathTest::normal));
    }

    @Test
    void tanh() {
        for (double reach : new double[] {1e-30, 0.1, 0.7, 10}) {
            assertWithin(5 * 0x1p-24, -reach, reach * 0.999, VectorMath::tanh, p -> p.relativeError(Math::tanh));
        }
    }
}
