// Functions of one instruction of the special function units, for values that are needed to a few units in the last
// place and by the hundred million.
#pragma once

#include "sapwood.cuh"

// 2^x, to about 2^-22 of the value; below 2^-126 it is zero.
__device__ __forceinline__ float power_of_two(float x) {
#if defined(SAPWOOD_EMULATOR)
    return exp2f(x);
#else
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
    return power;
#endif
}

// 1/x, to the last place; beyond 2^126 it is zero.
__device__ __forceinline__ float reciprocal(float x) {
#if defined(SAPWOOD_EMULATOR)
    return 1.0f / x;
#else
    float inverse;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(x));
    return inverse;
#endif
}
