package org.sapwood.tensor.tck;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** The operands of a case in double precision: inputs to read, outputs (zeros at first) to fill. */
final class Definition {
    private static final double STEP = 2e-5;

    private final Data data;
    private final Map<String, double[]> inputs = new HashMap<>();
    private final Map<String, double[]> results = new LinkedHashMap<>();

    Definition(Data data) {
        this.data = data;
        for (Operand operand : data.opCase().operands()) {
            if (!operand.isInput()) {
                results.put(operand.name(), new double[operand.shape().size()]);
            }
        }
    }

    /** The values of an operand, the same array at every call. */
    double[] in(String name) {
        return inputs.computeIfAbsent(name, key -> {
            float[] values = data.get(key);
            double[] wide = new double[values.length];
            for (int i = 0; i < wide.length; i++) {
                wide[i] = values[i];
            }
            return wide;
        });
    }

    int index(String name, int sample) {
        return (int) data.get(name)[sample];
    }

    double[] out(String name) {
        double[] values = results.get(name);
        if (values == null) {
            throw new IllegalArgumentException(data.opCase() + " has no output " + name);
        }
        return values;
    }

    /**
     * The derivative of {@code loss} by x[i], from a central difference of fourth order; {@code x} is left as it was.
     */
    static double derivative(double[] x, int i, ToDoubleFunction<double[]> loss) {
        double centre = x[i];
        double[] at = new double[4];
        double[] offsets = {-2 * STEP, -STEP, STEP, 2 * STEP};
        for (int k = 0; k < 4; k++) {
            x[i] = centre + offsets[k];
            at[k] = loss.applyAsDouble(x);
        }
        x[i] = centre;
        return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * STEP);
    }

    /** What the outputs hold after the call: the results, plus what stood there where the output accumulates. */
    Map<String, double[]> results() {
        for (Operand operand : data.opCase().operands()) {
            if (!operand.isInput() && operand.accumulate()) {
                double[] values = out(operand.name());
                double[] before = in(operand.name());
                for (int i = 0; i < values.length; i++) {
                    values[i] += before[i];
                }
            }
        }
        return results;
    }
}
