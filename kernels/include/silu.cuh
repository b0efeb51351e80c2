// silu(x) = x·σ(x) and its slope, without overflow on the way; and both once more in a third of the instructions, for
// kernels that would otherwise compute longer than they wait for memory. The quick ones are as good where it matters,
// to a few units in the last place of max(|x|, 1), but not to the last place of a silu(−20) ≈ −4e-8.
#pragma once

#include "approximate.cuh"

__device__ __forceinline__ float silu(float x) {
    return x / (1.0f + expf(-x));
}

// σ(x)·(1 + x·(1 − σ(x))). Both σ(x) and 1 − σ(x) come from exp(−|x|), so that neither cancels.
__device__ __forceinline__ float silu_slope(float x) {
    const float tail = expf(-fabsf(x));
    const float large = 1.0f / (1.0f + tail);
    const float small = tail * large;
    const float sigmoid = x >= 0.0f ? large : small;
    const float rest = x >= 0.0f ? small : large;
    return sigmoid * (1.0f + x * rest);
}

constexpr float kSiluLog2E = 1.44269504f;

__device__ __forceinline__ float quick_silu(float x) {
    return x * reciprocal(1.0f + power_of_two(x * -kSiluLog2E));
}

// 1 − σ(x) = exp(−x)·σ(x) does not cancel; the bound keeps it from becoming ∞·0.
__device__ __forceinline__ float quick_silu_slope(float x) {
    const float tail = power_of_two(fminf(x * -kSiluLog2E, 125.0f));
    const float sigmoid = reciprocal(1.0f + tail);
    return sigmoid * fmaf(x, tail * sigmoid, 1.0f);
}
