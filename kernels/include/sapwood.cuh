// What every kernel file includes: the two ways it is compiled, and the reductions and types that kernels share.
//
// nvcc compiles a kernel file for GPUs. g++ compiles the same file, with SAPWOOD_EMULATOR defined, into the driver for
// machines without a GPU (kernels/emulator): there a thread of a block is a fiber, and blocks run on the CPU's cores.
//
// Rules for kernel files:
//   * `extern "C" __global__ void family_operation(...)`, then EXPORT_KERNEL(family_operation) after its definition.
//   * Parameters are pointers, int, long long, float, double, or a struct of this header passed by value.
//   * Every size is legal: no size is assumed to be a multiple of anything, and pointers are only 4-byte aligned unless
//     the kernel checks. Vector accesses sit behind such a check.
//   * Deterministic: reductions in a fixed order, no float atomics. The bits of a sample depend on that sample alone:
//     never on its place in the batch, nor on how large the batch is.
//   * Shared memory is either a `__shared__` array or one SHARED_DYNAMIC buffer. Its content is undefined at the start.
//   * Instructions of one architecture (mma, ldmatrix, cp.async) sit behind wrappers in kernels/include with a host twin.
#pragma once

#if defined(SAPWOOD_EMULATOR)
#include "../emulator/device.h"
#else
#include <math_constants.h>
#include <stdint.h>
// On a GPU a kernel is found by its name in the module.
#define EXPORT_KERNEL(name)
// Dynamic shared memory, 128-byte aligned.
#define SHARED_DYNAMIC(name) extern __shared__ __align__(128) unsigned char name[]
#endif

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

// Where the gradients of a batch go, as org.sapwood.tensor.GradientRows says: sample b adds to row b / samples_per_row.
struct Rows {
    float* first;          // first coordinate of this parameter in row 0
    long long stride;      // coordinates from one row to the next
    int samples_per_row;   // >= 1
    int accumulate;        // whether the first sample of a row adds to what stands there
};

// Whether a pointer may be read and written in vectors of 16 bytes.
__device__ __forceinline__ bool is_aligned16(const void* pointer) {
    return (reinterpret_cast<uintptr_t>(pointer) & 15) == 0;
}

// The sum over a warp, the same bits in every lane. All 32 lanes must call it.
template <class T>
__device__ __forceinline__ T warp_sum(T value) {
#pragma unroll
    for (int offset = kWarp / 2; offset > 0; offset /= 2) {
        value += __shfl_xor_sync(kAllLanes, value, offset);
    }
    return value;
}

// The maximum over a warp; NaN counts as smallest.
__device__ __forceinline__ float warp_max(float value) {
#pragma unroll
    for (int offset = kWarp / 2; offset > 0; offset /= 2) {
        value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, offset));
    }
    return value;
}

// The sum over a block of blockDim.x threads (a multiple of 32, at most 1024), in a fixed order, in every thread. The
// scratch array holds 32 values of T in shared memory and may be reused after the next barrier.
template <class T>
__device__ __forceinline__ T block_sum(T value, T* scratch) {
    value = warp_sum(value);
    const int lane = threadIdx.x % kWarp;
    const int warp = threadIdx.x / kWarp;
    const int warps = blockDim.x / kWarp;
    __syncthreads();
    if (lane == 0) {
        scratch[warp] = value;
    }
    __syncthreads();
    return warp_sum(lane < warps ? scratch[lane] : T(0));
}
