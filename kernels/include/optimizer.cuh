// One step of an optimizer and of the averaged weights for one coordinate, to the bit what org.sapwood.autograd.Adam
// and org.sapwood.diffusion.Ema do. Every operation names its rounding, so that the compiler fuses none.
#pragma once

#include "sapwood.cuh"

// Rates of the weights [from, to), and of all others.
struct Rates {
    float step_size;
    float keep;
    float own_step_size;
    float own_keep;
    int from;
    int to;

    __device__ __forceinline__ bool is_own(int coordinate) const {
        return coordinate >= from && coordinate < to;
    }
    __device__ __forceinline__ float step_size_of(int coordinate) const {
        return is_own(coordinate) ? own_step_size : step_size;
    }
    __device__ __forceinline__ float keep_of(int coordinate) const {
        return is_own(coordinate) ? own_keep : keep;
    }
};

// Adam (Kingma and Ba 2015) with decoupled weight decay.
struct Adam {
    float beta1;
    float beta2;
    float epsilon;
    float correction;  // 1 / sqrt(1 - beta2^t)
    Rates rates;

    __device__ __forceinline__ float step(
        int coordinate, float gradient, float weight, float& first_moment, float& second_moment) const {
        const float g = gradient;
        const float m = __fadd_rn(__fmul_rn(beta1, first_moment), __fmul_rn(__fsub_rn(1.0f, beta1), g));
        const float v =
            __fadd_rn(__fmul_rn(beta2, second_moment), __fmul_rn(__fmul_rn(__fsub_rn(1.0f, beta2), g), g));
        first_moment = m;
        second_moment = v;
        const float scale = __fadd_rn(__fmul_rn(__fsqrt_rn(v), correction), epsilon);
        return __fsub_rn(__fmul_rn(rates.keep_of(coordinate), weight),
                         __fdiv_rn(__fmul_rn(rates.step_size_of(coordinate), m), scale));
    }
};

// average + share * (weight - average), the share being a double.
__device__ __forceinline__ float averaged(float average, float weight, double share) {
    const double change = __dmul_rn(share, static_cast<double>(__fsub_rn(weight, average)));
    return __fadd_rn(average, __double2float_rn(change));
}
