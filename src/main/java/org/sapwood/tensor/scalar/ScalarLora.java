package org.sapwood.tensor.scalar;

import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Tensor;

/** Low-rank adaptation: two thin matrix products beside the frozen one. */
final class ScalarLora {
    private ScalarLora() {}

    static void lora(Tensor x, Tensor a, Tensor b, float scale, Tensor xa, Tensor y) {
        Tensor down = ScalarBlas.asRows(xa);
        ScalarBlas.matmul(ScalarBlas.asRows(x), false, a, true, 1, down, false);
        ScalarBlas.matmul(down, false, b, true, scale, ScalarBlas.asRows(y), true);
    }

    static void loraBackwardInput(Tensor dy, Tensor a, Tensor b, float scale, Tensor dyb, @Nullable Tensor dx) {
        Tensor down = ScalarBlas.asRows(dyb);
        ScalarBlas.matmul(ScalarBlas.asRows(dy), false, b, false, scale, down, false);
        if (dx != null) {
            ScalarBlas.matmul(down, false, a, false, 1, ScalarBlas.asRows(dx), true);
        }
    }
}
