// Instructions of warpgroups, the four warps that multiply together on compute capability 9.0 (module sm_90a), each
// with a host twin for the driver without a GPU.
//
// Both factors of a multiplication stand in shared memory, in slabs of 64 depths of bfloat16 that are made of tiles of
// 128 bytes x 8, the unit in which the hardware permutes vectors of 16 bytes: in row r of a tile, vector v stands at
// v ^ r. A slab begins at a multiple of 1024 bytes. Its rows are
//   * lines of 64 depths, if depth is contiguous: tiles of 8 lines one after the other;
//   * depths of 64 lines, if lines are: 8 tiles of 8 depths for the first 64 lines, then 8 for the next, and so on.
// A descriptor tells the hardware where a factor begins and how far apart its tiles are.
//
// D of 64 x n is spread over the lanes of four warps: warp w has the rows 16w to 16w + 15, and of these, d[j] is a
// fragment of the columns 8j to 8j + 7 as tensor_core.cuh describes it.
//
// The multiplication adds 16 depths at a time to each sum, in ascending order.
#pragma once

#include "tensor_core.cuh"

// Whether the code that is being compiled may contain these instructions. Kernels that need them are left out of other
// modules. (The host has them all.)
#if defined(__CUDA_ARCH_FEAT_SM90_ALL) || !defined(__CUDA_ARCH__)
#define SAPWOOD_WARPGROUPS
#endif

#if defined(SAPWOOD_WARPGROUPS)

constexpr int kWarpgroup = 128;

// A slab of one factor as it stands in shared memory.
template <int kLines, bool kDeep_>
struct WarpgroupSlab {
    using Element = bfloat16;
    static constexpr bool kDeep = kDeep_;
    static constexpr int kDepth = 64;
    static constexpr int kRows = kDeep ? kLines : kDepth;
    static constexpr int kColumns = kDeep ? kDepth : kLines;
    static constexpr int kVector = 8;
    static constexpr int kElements = kLines * kDepth;
    static constexpr int kBytes = kElements * 2;
    static_assert(kLines % 64 == 0, "whole tiles of lines");

    __device__ static __forceinline__ int index(int line, int depth) {
        return kDeep ? line * kTileRow + (depth ^ line % 8 * kVector)
                     : (line / kTileRow * kDepth + depth) * kTileRow + (line % kTileRow ^ depth % 8 * kVector);
    }

#if !defined(SAPWOOD_EMULATOR)
    // Describes the factor that begins at a line and a depth that are multiples of 64 and 16: the first depth and line
    // of a row of tiles are where an unpermuted slab would have them.
    __device__ static __forceinline__ unsigned long long describe(const bfloat16* slab, int line, int depth) {
        constexpr unsigned long long kPermuted128 = 1ULL << 62;
        // Bytes to the next 8 lines, or the next 8 depths.
        constexpr unsigned long long kStride = 8 * kTileRow * 2;
        // Bytes to the next 64 lines; without meaning where lines are not contiguous.
        constexpr unsigned long long kLeading = kDeep ? 16 : kDepth * kTileRow * 2;
        const bfloat16* const first = slab + index(line, depth);
        const unsigned long long address = static_cast<unsigned>(__cvta_generic_to_shared(first));
        return kPermuted128 | kStride >> 4 << 32 | kLeading >> 4 << 16 | (address & 0x3ffff) >> 4;
    }
#endif

private:
    // Elements of 128 bytes.
    static constexpr int kTileRow = 64;
};

// What a thread has copied or stored becomes visible to the tensor cores of whoever passes the next barrier.
__device__ __forceinline__ void publish_to_tensor_cores() {
#if !defined(SAPWOOD_EMULATOR)
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

// Stands between anything else that touches the sums and the multiplications that follow.
__device__ __forceinline__ void open_multiplications() {
#if !defined(SAPWOOD_EMULATOR)
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}

// Closes a group of multiplications that were started since the last one.
__device__ __forceinline__ void close_multiplications() {
#if !defined(SAPWOOD_EMULATOR)
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
}

// Waits until the multiplications of all groups that the warpgroup has closed are finished.
__device__ __forceinline__ void wait_for_multiplications() {
#if !defined(SAPWOOD_EMULATOR)
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
#endif
}

#if defined(SAPWOOD_EMULATOR)
namespace warpgroup_twin {
inline float value(const bfloat16& element) {
    return __uint_as_float(static_cast<unsigned>(element.bits) << 16);
}

template <class SlabA, class SlabB, int kEights>
inline void multiply(float (&d)[kEights][4], const bfloat16* slab_a, int line_a, const bfloat16* slab_b, int line_b,
                     int depth, bool add) {
    if (!add) {
        for (auto& fragment : d) {
            for (float& sum : fragment) {
                sum = 0;
            }
        }
    }
    const int lane = threadIdx.x % kWarp;
    const int row = line_a + threadIdx.x % kWarpgroup / kWarp * 16 + lane / 4;
    for (int k = depth; k < depth + 16; k++) {
        const float a[2] = {value(slab_a[SlabA::index(row, k)]), value(slab_a[SlabA::index(row + 8, k)])};
        for (int j = 0; j < kEights; j++) {
            for (int i = 0; i < 4; i++) {
                d[j][i] += a[i / 2] * value(slab_b[SlabB::index(line_b + j * 8 + lane % 4 * 2 + i % 2, k)]);
            }
        }
    }
}
}  // namespace warpgroup_twin
#else
// The operands of an instruction with sums d[0][0], d[0][1], …: their numbers and the registers themselves.
#define NUMBERS_FIRST "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, "
#define NUMBERS(tens)                                                                                              \
    "%" tens "0, %" tens "1, %" tens "2, %" tens "3, %" tens "4, %" tens "5, %" tens "6, %" tens "7, %" tens "8, " \
    "%" tens "9, "
#define SUMS(j) "+f"(d[j][0]), "+f"(d[j][1]), "+f"(d[j][2]), "+f"(d[j][3])
#define SUMS_8(j) \
    SUMS(j), SUMS(j + 1), SUMS(j + 2), SUMS(j + 3), SUMS(j + 4), SUMS(j + 5), SUMS(j + 6), SUMS(j + 7)
#define MULTIPLY(columns, numbers, a, b, transpose_a, transpose_b, adds, ...)                                       \
    asm volatile("{ .reg .pred add; setp.ne.s32 add, %" adds ", 0; "                                                \
                 "wgmma.mma_async.sync.aligned.m64n" columns "k16.f32.bf16.bf16 {" numbers "}, %" a ", %" b         \
                 ", add, 1, 1, %" transpose_a ", %" transpose_b "; }"                                               \
                 : __VA_ARGS__                                                                                      \
                 : "l"(factor_a), "l"(factor_b), "n"(kTransposeA), "n"(kTransposeB), "r"(add))

template <int kTransposeA, int kTransposeB>
__device__ __forceinline__ void multiply_described(float (&d)[8][4], unsigned long long factor_a,
                                                   unsigned long long factor_b, int add) {
    MULTIPLY("64", NUMBERS_FIRST NUMBERS("1") NUMBERS("2") "%30, %31", "32", "33", "34", "35", "36", SUMS_8(0));
}

template <int kTransposeA, int kTransposeB>
__device__ __forceinline__ void multiply_described(float (&d)[16][4], unsigned long long factor_a,
                                                   unsigned long long factor_b, int add) {
    MULTIPLY("128", NUMBERS_FIRST NUMBERS("1") NUMBERS("2") NUMBERS("3") NUMBERS("4") NUMBERS("5") "%60, %61, %62, %63",
             "64", "65", "66", "67", "68", SUMS_8(0), SUMS_8(8));
}

#undef NUMBERS_FIRST
#undef NUMBERS
#undef SUMS
#undef SUMS_8
#undef MULTIPLY
#endif

// Starts D += A·B, or D = A·B, 64 x 8·kEights x 16, by the four warps of a group: A is 64 lines of a slab, B 8·kEights
// lines of another, of 16 depths each. Other uses of d wait until the group that this belongs to is finished.
template <class SlabA, class SlabB, int kEights>
__device__ __forceinline__ void multiply_async(float (&d)[kEights][4], const bfloat16* slab_a, int line_a,
                                               const bfloat16* slab_b, int line_b, int depth, bool add) {
#if defined(SAPWOOD_EMULATOR)
    warpgroup_twin::multiply<SlabA, SlabB>(d, slab_a, line_a, slab_b, line_b, depth, add);
#else
    multiply_described<!SlabA::kDeep, !SlabB::kDeep>(d, SlabA::describe(slab_a, line_a, depth),
                                                     SlabB::describe(slab_b, line_b, depth), add);
#endif
}

#endif
