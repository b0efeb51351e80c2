package org.sapwood.tensor.tck;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * The operands of a case as plain arrays for the whole batch. Indices stand as whole floats; an output stands with what
 * it holds before the call, which counts if it accumulates.
 *
 * @param factor what the per-sample inputs were multiplied with
 */
record Data(OpCase opCase, Map<String, float[]> values, double factor) {
    float[] get(String name) {
        float[] array = values.get(name);
        if (array == null) {
            throw new IllegalArgumentException(opCase + " has no operand " + name);
        }
        return array;
    }

    /** A copy in which element {@code index} of an input is {@code value}. */
    Data with(String name, int index, float value) {
        Map<String, float[]> copy = new LinkedHashMap<>(values);
        float[] changed = get(name).clone();
        changed[index] = value;
        copy.put(name, changed);
        return new Data(opCase, copy, factor).derive();
    }

    /** Computes the inputs that follow from others. */
    Data derive() {
        for (Operand operand : opCase.operands()) {
            Function<Data, float[]> derivation = operand.derivation();
            if (derivation != null) {
                values.put(operand.name(), derivation.apply(this));
            }
        }
        return this;
    }
}
