// gelu(x) = x·Φ(x) and its slope, with the exact distribution function Φ of the standard normal. erfcf keeps the digits
// of Φ where it is small: nothing is subtracted from 1.
#pragma once

#include "sapwood.cuh"

__device__ __forceinline__ float normal(float x) {
    return 0.5f * erfcf(x * -0.707106781f);
}

__device__ __forceinline__ float gelu(float x) {
    return x * normal(x);
}

// Φ(x) + x·φ(x).
__device__ __forceinline__ float gelu_slope(float x) {
    const float density = 0.398942280f * expf(-0.5f * x * x);
    return normal(x) + x * density;
}
