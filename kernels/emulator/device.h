// The CUDA C++ that kernel files are written in, for g++: what nvcc gives them without an include.
#pragma once

#include "arithmetic.h"
#include "atomics.h"
#include "fiber.h"
#include "registry.h"
#include "vectors.h"
#include "warp.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))

// A block runs on one thread of the operating system, so what that thread owns is what the block shares.
#define __shared__ static thread_local

// Dynamic shared memory, 128-byte aligned.
#define SHARED_DYNAMIC(name) unsigned char* const name = ::sapwood::emulator::fiber().block->dynamic_shared

#define threadIdx (::sapwood::emulator::fiber().thread_index)
#define blockIdx (::sapwood::emulator::fiber().block->index)
#define blockDim (::sapwood::emulator::fiber().block->threads)
#define gridDim (::sapwood::emulator::fiber().block->grid)

constexpr int warpSize = 32;
