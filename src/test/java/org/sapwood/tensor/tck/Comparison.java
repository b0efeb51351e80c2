package org.sapwood.tensor.tck;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Collects disagreements, so that one run shows all of them. */
final class Comparison {
    private static final double EPSILON = 0x1p-23;
    private static final int SHOWN = 8;

    private final List<String> failures = new ArrayList<>();
    private int checked;

    /** Compares one output within the tolerance of its case; non-finite values must stand where they are expected. */
    void close(String what, Data data, Operand operand, double[] expected, float[] actual) {
        checked++;
        OpCase opCase = data.opCase();
        boolean anyNonFinite = Arrays.stream(expected).anyMatch(value -> !Double.isFinite(value));
        double typical = 2 * rootMeanSquare(expected) + opCase.slack() * data.factor();
        for (int i = 0; i < expected.length; i++) {
            double tolerance =
                    EPSILON * Math.sqrt(opCase.length()) * (typical + Math.abs(expected[i])) + opCase.underflow();
            double wanted = opCase.length() == 0 ? (float) expected[i] : expected[i];
            boolean agrees = Float.isFinite((float) expected[i])
                    ? Math.abs(actual[i] - wanted) <= tolerance
                    : !Float.isFinite(actual[i]);
            boolean spread = opCase.mayNonFiniteSpread() && anyNonFinite && !Float.isFinite(actual[i]);
            if (!agrees && !spread) {
                failures.add(opCase + ", " + what + ": " + operand.name() + "[" + i + "] is " + actual[i]
                        + ", expected " + expected[i] + " ± " + tolerance);
                return;
            }
        }
    }

    /** Compares bit by bit; all NaNs count as one. */
    void same(String what, OpCase opCase, Operand operand, float[] expected, int from, float[] actual, int at) {
        checked++;
        for (int i = 0; i < operand.chunk(); i++) {
            if (Float.floatToIntBits(expected[from + i]) != Float.floatToIntBits(actual[at + i])) {
                failures.add(opCase + ", " + what + ": " + operand.name() + "[" + i + "] is " + actual[at + i]
                        + ", expected the same bits as " + expected[from + i]);
                return;
            }
        }
    }

    /** Notes an error thrown by a call. */
    void failed(OpCase opCase, Throwable error) {
        failures.add(opCase + ": " + error);
    }

    /** Fails if anything disagreed, or if nothing was compared at all. */
    void finish() {
        if (checked == 0 && failures.isEmpty()) {
            throw new AssertionError("nothing was compared");
        }
        if (!failures.isEmpty()) {
            throw new AssertionError(failures.size() + " of " + checked
                    + " comparisons failed (the name of a case is the seed of its data):\n  "
                    + String.join("\n  ", failures.subList(0, Math.min(SHOWN, failures.size()))));
        }
    }

    /** Over the finite values. */
    private static double rootMeanSquare(double[] values) {
        double sum = 0;
        int count = 0;
        for (double value : values) {
            if (Double.isFinite(value)) {
                sum += value * value;
                count++;
            }
        }
        return count == 0 ? 0 : Math.sqrt(sum / count);
    }
}
