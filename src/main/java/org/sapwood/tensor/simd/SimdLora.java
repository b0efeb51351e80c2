package org.sapwood.tensor.simd;

import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Tensor;

/**
 * Low-rank adapters. Two thin products, each bound by reading x or y once; the scale is folded into the packed factor.
 */
final class SimdLora {
    private final SimdBlas blas;

    SimdLora(SimdBlas blas) {
        this.blas = blas;
    }

    void lora(Tensor x, Tensor a, Tensor b, float scale, Tensor xa, Tensor y) {
        blas.linear(x, a, null, xa);
        blas.addLinear(xa, b, scale, y);
    }

    void loraBackwardInput(Tensor dy, Tensor a, Tensor b, float scale, Tensor dyb, @Nullable Tensor dx) {
        blas.linearBackwardInput(dy, b, scale, dyb, false);
        if (dx != null) {
            blas.linearBackwardInput(dyb, a, 1f, dx, true);
        }
    }
}
