// Instructions of the tensor cores and of the copies that feed them, each with a host twin for the driver without a
// GPU.
//
// Fragments of a multiplication are spread over the lanes of a warp as the PTX manual draws them. With g = lane / 4 and
// t = lane % 4:
//   * D, 16 x 8 float: d[0], d[1] are (g, 2t), (g, 2t + 1); d[2], d[3] the same of row g + 8.
//   * bfloat16, depth 16: a[0] is row g, depths 2t and 2t + 1; a[1] row g + 8; a[2], a[3] the same 8 depths further;
//     b[0] is column g, depths 2t and 2t + 1; b[1] the same 8 depths further.
//   * TF32, depth 8: a[0] is row g, depth t; a[1] row g + 8; a[2], a[3] the same 4 depths further; b[0] is column g,
//     depth t; b[1] the same 4 depths further.
#pragma once

#include "sapwood.cuh"

// Storage of a bfloat16, the upper half of a float.
struct bfloat16 {
    unsigned short bits;
};

#if defined(SAPWOOD_EMULATOR)
namespace tensor_core_twin {
inline unsigned bfloat16_of(float value) {
    const unsigned bits = __float_as_uint(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return 0x7fffu;
    }
    return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

struct Fragments {
    unsigned a[4];
    unsigned b[2];
};

inline void bfloat16_dot(const Fragments (&all)[32], int row, int column, float& sum) {
    for (int k = 0; k < 16; k++) {
        const int lane = k % 8 / 2;
        const int shift = 16 * (k % 2);
        const unsigned a = all[row % 8 * 4 + lane].a[row / 8 + k / 8 * 2];
        const unsigned b = all[column * 4 + lane].b[k / 8];
        sum += __uint_as_float(a >> shift << 16) * __uint_as_float(b >> shift << 16);
    }
}

inline void tf32_dot(const Fragments (&all)[32], int row, int column, float& sum) {
    for (int k = 0; k < 8; k++) {
        const unsigned a = all[row % 8 * 4 + k % 4].a[row / 8 + k / 4 * 2];
        const unsigned b = all[column * 4 + k % 4].b[k / 4];
        sum += __uint_as_float(a & 0xffffe000u) * __uint_as_float(b & 0xffffe000u);
    }
}

template <class Dot>
inline void multiply(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, Dot dot) {
    const Fragments mine = {{a[0], a[1], a[2], a[3]}, {b0, b1}};
    Fragments all[32];
    emulated_all_gather(mine, all);
    const int lane = threadIdx.x % kWarp;
    for (int i = 0; i < 4; i++) {
        dot(all, lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2, d[i]);
    }
}
}  // namespace tensor_core_twin
#endif

// Two floats rounded to bfloat16, to nearest even; the first is the lower half.
__device__ __forceinline__ unsigned pack_bfloat16(float first, float second) {
#if defined(SAPWOOD_EMULATOR)
    return tensor_core_twin::bfloat16_of(first) | tensor_core_twin::bfloat16_of(second) << 16;
#else
    unsigned packed;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(second), "f"(first));
    return packed;
#endif
}

// A float rounded to TF32, to nearest, ties away from zero.
__device__ __forceinline__ unsigned round_tf32(float value) {
#if defined(SAPWOOD_EMULATOR)
    const unsigned bits = __float_as_uint(value);
    return (bits & 0x7f800000u) == 0x7f800000u ? bits : (bits + 0x1000u) & 0xffffe000u;
#else
    unsigned rounded;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(value));
    return rounded;
#endif
}

// D += A·B, 16 x 8 x 16, factors in bfloat16.
__device__ __forceinline__ void multiply_bfloat16(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
#if defined(SAPWOOD_EMULATOR)
    tensor_core_twin::multiply(d, a, b0, b1, tensor_core_twin::bfloat16_dot);
#else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

// D += A·B, 16 x 8 x 8, factors in TF32.
__device__ __forceinline__ void multiply_tf32(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
#if defined(SAPWOOD_EMULATOR)
    tensor_core_twin::multiply(d, a, b0, b1, tensor_core_twin::tf32_dot);
#else
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

// Four 8 x 8 matrices of 16-bit values from shared memory. Lane 8i + j points to row j of matrix i, 16 bytes, aligned;
// part[i] is of matrix i: the elements 2t and 2t + 1 of row g.
__device__ __forceinline__ void load_matrices(unsigned (&part)[4], const bfloat16* row) {
#if defined(SAPWOOD_EMULATOR)
    const bfloat16* rows[32];
    emulated_all_gather(row, rows);
    const int lane = threadIdx.x % kWarp;
    for (int i = 0; i < 4; i++) {
        const bfloat16* const pair = rows[8 * i + lane / 4] + lane % 4 * 2;
        part[i] = pair[0].bits | static_cast<unsigned>(pair[1].bits) << 16;
    }
#else
    const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(row));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(part[0]), "=r"(part[1]), "=r"(part[2]), "=r"(part[3])
                 : "r"(address)
                 : "memory");
#endif
}

// The same, each matrix transposed: part[i] holds the elements g of rows 2t and 2t + 1.
__device__ __forceinline__ void load_matrices_transposed(unsigned (&part)[4], const bfloat16* row) {
#if defined(SAPWOOD_EMULATOR)
    const bfloat16* rows[32];
    emulated_all_gather(row, rows);
    const int lane = threadIdx.x % kWarp;
    for (int i = 0; i < 4; i++) {
        const unsigned first = rows[8 * i + lane % 4 * 2][lane / 4].bits;
        const unsigned second = rows[8 * i + lane % 4 * 2 + 1][lane / 4].bits;
        part[i] = first | second << 16;
    }
#else
    const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(row));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(part[0]), "=r"(part[1]), "=r"(part[2]), "=r"(part[3])
                 : "r"(address)
                 : "memory");
#endif
}

// Starts to copy 16 bytes from global to shared memory, both aligned; zeros where there is no source. What the block
// will soon read again may stay in L1.
template <bool kKeep>
__device__ __forceinline__ void copy_async(void* to, const void* from, const void* anywhere) {
#if defined(SAPWOOD_EMULATOR)
    (void)anywhere;
    *static_cast<uint4*>(to) = from == nullptr ? make_uint4(0, 0, 0, 0) : *static_cast<const uint4*>(from);
#else
    const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(to));
    const int bytes = from == nullptr ? 0 : 16;
    const void* const source = from == nullptr ? anywhere : from;
    if (kKeep) {
        asm volatile("cp.async.ca.shared.global [%0], [%1], 16, %2;"
                     :
                     : "r"(address), "l"(source), "r"(bytes)
                     : "memory");
    } else {
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
                     :
                     : "r"(address), "l"(source), "r"(bytes)
                     : "memory");
    }
#endif
}

// Closes a group of copies that were started since the last one.
__device__ __forceinline__ void close_copies() {
#if !defined(SAPWOOD_EMULATOR)
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until at most kOpen of this thread's latest groups of copies are under way.
template <int kOpen>
__device__ __forceinline__ void wait_for_copies() {
#if !defined(SAPWOOD_EMULATOR)
    asm volatile("cp.async.wait_group %0;" ::"n"(kOpen) : "memory");
#endif
}
