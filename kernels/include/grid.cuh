// The integer grid on which clipped gradients are summed: org.sapwood.privacy.aggregation.GradientGrid, to the bit.
#pragma once

#include "sapwood.cuh"

// Adding it to |x| < 2^51 leaves the integer nearest to x, ties to even, in the low bits of the sum: 1.5 * 2^52.
constexpr double kMagic = 6755399441055744.0;
constexpr long long kMagicBits = 0x4338000000000000LL;

// rint(value * multiplier) for a product below 2^51 in magnitude. Two roundings, never a fused one: for the multipliers
// of clipping, which are floats, the product is exact and it makes no difference, but multipliers may be any doubles.
__device__ __forceinline__ long long on_grid(float value, double multiplier) {
    return __double_as_longlong(__dadd_rn(__dmul_rn(static_cast<double>(value), multiplier), kMagic)) - kMagicBits;
}
