package org.sapwood.tensor.tck;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Tensor;

/** The operands of a call, placed in a backend's memory. */
record Arguments(Map<String, Tensor> tensors, Map<String, Indices> indices, Map<String, GradientRows> gradients) {
    Tensor tensor(String name) {
        return known(tensors.get(name), name);
    }

    Indices indices(String name) {
        return known(indices.get(name), name);
    }

    GradientRows gradient(String name) {
        return known(gradients.get(name), name);
    }

    private static <T> T known(@Nullable T value, String name) {
        if (value == null) {
            throw new IllegalArgumentException("no operand " + name);
        }
        return value;
    }
}
