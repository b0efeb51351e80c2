// From per-example gradients to the exact sum of the clipped ones.
//
// A matrix of rows [R, P], one example's gradient a row, passes through three kernels:
//   clip_accumulate_norms    squared norm of every chunk of every row, in fp64
//   clip_accumulate_scales   the norms of the groups, and by the clipping rule a multiplier for every row and group
//   clip_accumulate_grid     sums[j] += rint(x[row][j] * multiplier) over the rows, in 64-bit integers
// A row that is not finite gets multipliers of 0, and a row with a multiplier of 0 is not touched, for 0 * NaN is NaN.
// How many rows count is read on the device, so that a recorded launch serves batches of any size.
//
// Sums of integers are associative, so rows may be divided among blocks at will. Norms add in an order that depends on
// nothing but the length of the group: each thread of a chunk adds every 256th element, then a tree, then chunks.
//
// Launch: 256 threads in all but the primitives for single rows. A chunk or tile lies within one group, a tile has at
// most 1024 columns. norms: R * chunks blocks; scales: R blocks; grid: tiles x row parts.
//
// Bytes: norms and grid read 4 R P each and write next to nothing; the scales are small. R = 512, P = 4.6 M: 9.4 GB a
// pass, 2.2 ms at 4.3 TB/s, twice. Work per element: norms 1 conversion and 1 fp64 multiply-add; grid 1 conversion,
// 1 fp64 product, 1 fp64 sum and 3 integer additions. At 4.3 TB/s an SM of an H200 takes in 4.6 floats per clock; it
// has 64 fp64 and 64 integer lanes and at least 16 for conversions. Memory is the limit by a factor of 3 or more.
//
// Loads are scalar and side by side over a warp: rows begin at any multiple of 4 bytes (P is rarely a multiple of 4),
// and 16 of them in flight per thread hide the latency without vectors.

#include "grid.cuh"
#include "sapwood.cuh"

namespace {

constexpr int kThreads = 256;
constexpr int kLoads = 16;  // in flight per thread
constexpr int kOwned = 4;   // coordinates of a thread
constexpr int kRowsAtOnce = kLoads / kOwned;

// Columns [from, from + length) of a group.
struct Tile {
    int from;
    int length;
    int group;
};

// The sum of squares of `length` floats, in every thread. The square of a float is exact in fp64.
__device__ __forceinline__ double sum_of_squares(const float* __restrict__ x, int length) {
    __shared__ double scratch[kWarp];
    double sum = 0;
    for (int first = threadIdx.x; first < length; first += kLoads * kThreads) {
        float values[kLoads];
#pragma unroll
        for (int i = 0; i < kLoads; ++i) {
            const int at = first + i * kThreads;
            values[i] = at < length ? x[at] : 0.0f;
        }
#pragma unroll
        for (int i = 0; i < kLoads; ++i) {
            sum = __fma_rn(static_cast<double>(values[i]), static_cast<double>(values[i]), sum);
        }
    }
    return block_sum(sum, scratch);
}

// The sum over some chunks, the same in all lanes of a warp.
__device__ __forceinline__ double sum_of_chunks(const double* __restrict__ partials, int chunks) {
    double sum = 0;
    for (int chunk = threadIdx.x % kWarp; chunk < chunks; chunk += kWarp) {
        sum += partials[chunk];
    }
    return warp_sum(sum);
}

// The largest float that is not above a positive number.
__device__ __forceinline__ float round_down(double value) {
    const float rounded = __double2float_rn(value);
    return static_cast<double>(rounded) > value ? __int_as_float(__float_as_int(rounded) - 1) : rounded;
}

// The codes of CudaClipping.
enum Rule { kFlat, kAutomatic, kByGroup };

}  // namespace

extern "C" __global__ void __launch_bounds__(kThreads) clip_accumulate_norms(
    const float* __restrict__ rows, long long stride, const int* __restrict__ count, const Tile* __restrict__ chunks,
    int chunk_count, double* __restrict__ partials) {
    const int row = blockIdx.x / chunk_count;
    if (row >= *count) {
        return;
    }
    const Tile chunk = chunks[blockIdx.x % chunk_count];
    const double sum = sum_of_squares(rows + row * stride + chunk.from, chunk.length);
    if (threadIdx.x == 0) {
        partials[blockIdx.x] = sum;
    }
}
EXPORT_KERNEL(clip_accumulate_norms)

// One row per block. Writes norms [R, groups], which are those of the weighted gradient, and multipliers [R, groups].
extern "C" __global__ void __launch_bounds__(kThreads) clip_accumulate_scales(
    const double* __restrict__ partials, const int* __restrict__ first_chunks /* [groups + 1] */,
    const float* __restrict__ weights, const double* __restrict__ bounds, int groups, int rule, double gamma,
    double inflation, double step, const int* __restrict__ count, double* norms, double* __restrict__ multipliers) {
    const int row = blockIdx.x;
    if (row >= *count) {
        return;
    }
    partials += static_cast<long long>(row) * first_chunks[groups];
    norms += static_cast<long long>(row) * groups;
    multipliers += static_cast<long long>(row) * groups;
    for (int group = threadIdx.x / kWarp; group < groups; group += kThreads / kWarp) {
        const int first = first_chunks[group];
        const double sum = sum_of_chunks(partials + first, first_chunks[group + 1] - first);
        if (threadIdx.x % kWarp == 0) {
            const double weight = static_cast<double>(weights[group]);
            norms[group] = __dmul_rn(__dmul_rn(sum, weight), weight);
        }
    }
    __syncthreads();
    bool finite = true;
    for (int group = threadIdx.x; group < groups; group += kThreads) {
        finite = finite && norms[group] >= 0 && norms[group] < CUDART_INF;
    }
    finite = __syncthreads_and(finite) != 0;
    double total = 0;
    if (rule != kByGroup) {
        for (int group = 0; group < groups; ++group) {
            total = __dadd_rn(total, norms[group]);
        }
    }
    for (int group = threadIdx.x; group < groups; group += kThreads) {
        const double norm = __dsqrt_rn(__dmul_rn(rule == kByGroup ? norms[group] : total, inflation));
        const double bound = bounds[rule == kByGroup ? group : 0];
        double factor = 0;
        if (finite && rule == kAutomatic) {
            factor = __ddiv_rn(bound, __dadd_rn(norm, gamma));
        } else if (finite) {
            factor = norm > bound ? __ddiv_rn(bound, norm) : 1.0;
        }
        const float scale = round_down(__ddiv_rn(factor, step));
        multipliers[group] = static_cast<double>(__fmul_rn(scale, weights[group]));
    }
}
EXPORT_KERNEL(clip_accumulate_scales)

// Blocks (tile, part of the rows). Each thread owns four columns of its tile.
extern "C" __global__ void __launch_bounds__(kThreads) clip_accumulate_grid(
    const float* __restrict__ rows, long long stride, const int* __restrict__ count, const Tile* __restrict__ tiles,
    const double* __restrict__ multipliers, int groups, int rows_per_part, unsigned long long* __restrict__ sums) {
    const Tile tile = tiles[blockIdx.x];
    const int begin = blockIdx.y * rows_per_part;
    const int end = min(*count, begin + rows_per_part);
    const float* column = rows + tile.from + threadIdx.x;
    long long totals[kOwned] = {};
    for (int first = begin; first < end; first += kRowsAtOnce) {
        double multiplier[kRowsAtOnce];
        float values[kRowsAtOnce][kOwned];
#pragma unroll
        for (int r = 0; r < kRowsAtOnce; ++r) {
            const int row = first + r;
            multiplier[r] = row < end ? multipliers[static_cast<long long>(row) * groups + tile.group] : 0.0;
#pragma unroll
            for (int i = 0; i < kOwned; ++i) {
                const bool inside = row < end && static_cast<int>(threadIdx.x) + i * kThreads < tile.length;
                values[r][i] = inside ? column[row * stride + i * kThreads] : 0.0f;
            }
        }
#pragma unroll
        for (int r = 0; r < kRowsAtOnce; ++r) {
#pragma unroll
            for (int i = 0; i < kOwned; ++i) {
                totals[i] += multiplier[r] != 0 ? on_grid(values[r][i], multiplier[r]) : 0;
            }
        }
    }
#pragma unroll
    for (int i = 0; i < kOwned; ++i) {
        const int at = threadIdx.x + i * kThreads;
        if (at < tile.length && begin < end) {
            const unsigned long long total = static_cast<unsigned long long>(totals[i]);
            if (gridDim.y == 1) {
                sums[tile.from + at] += total;
            } else {
                // Integers: the order in which the parts arrive does not matter.
                atomicAdd(sums + tile.from + at, total);
            }
        }
    }
}
EXPORT_KERNEL(clip_accumulate_grid)

// The same sum in float32, rows in ascending order: sums[j] (+)= Σ x[row][j] * multiplier. For sums that need not be
// exact. Blocks: one per tile.
extern "C" __global__ void __launch_bounds__(kThreads) clip_accumulate_fp32(
    const float* __restrict__ rows, long long stride, const int* __restrict__ count, const Tile* __restrict__ tiles,
    const double* __restrict__ multipliers, int groups, int accumulate, float* __restrict__ sums) {
    const Tile tile = tiles[blockIdx.x];
    const int end = *count;
    const float* column = rows + tile.from + threadIdx.x;
    float totals[kOwned] = {};
    for (int first = 0; first < end; first += kRowsAtOnce) {
        float multiplier[kRowsAtOnce];
        float values[kRowsAtOnce][kOwned];
#pragma unroll
        for (int r = 0; r < kRowsAtOnce; ++r) {
            const int row = first + r;
            multiplier[r] =
                row < end ? static_cast<float>(multipliers[static_cast<long long>(row) * groups + tile.group]) : 0.0f;
#pragma unroll
            for (int i = 0; i < kOwned; ++i) {
                const bool inside = row < end && static_cast<int>(threadIdx.x) + i * kThreads < tile.length;
                values[r][i] = inside ? column[row * stride + i * kThreads] : 0.0f;
            }
        }
#pragma unroll
        for (int r = 0; r < kRowsAtOnce; ++r) {
#pragma unroll
            for (int i = 0; i < kOwned; ++i) {
                totals[i] = multiplier[r] != 0 ? __fmaf_rn(values[r][i], multiplier[r], totals[i]) : totals[i];
            }
        }
    }
#pragma unroll
    for (int i = 0; i < kOwned; ++i) {
        const int at = threadIdx.x + i * kThreads;
        if (at < tile.length) {
            float* sum = sums + tile.from + at;
            *sum = accumulate ? *sum + totals[i] : totals[i];
        }
    }
}
EXPORT_KERNEL(clip_accumulate_fp32)

// ---- single primitives, for sums that the host keeps --------------------------------------------------------------

// Squared norms of the chunks of one group, whose length need not be known beforehand. Blocks: R * chunks.
extern "C" __global__ void __launch_bounds__(kThreads) clip_accumulate_squares(
    const float* __restrict__ group, long long stride, int length, int chunk_length, int chunk_count,
    double* __restrict__ partials) {
    const int row = blockIdx.x / chunk_count;
    const int from = blockIdx.x % chunk_count * chunk_length;
    const double sum = sum_of_squares(group + row * stride + from, min(chunk_length, length - from));
    if (threadIdx.x == 0) {
        partials[blockIdx.x] = sum;
    }
}
EXPORT_KERNEL(clip_accumulate_squares)

// norms[row] = Σ partials[row]. Blocks: R, of one warp.
extern "C" __global__ void __launch_bounds__(kWarp) clip_accumulate_totals(
    const double* __restrict__ partials, int chunk_count, double* __restrict__ norms) {
    const double sum = sum_of_chunks(partials + static_cast<long long>(blockIdx.x) * chunk_count, chunk_count);
    if (threadIdx.x == 0) {
        norms[blockIdx.x] = sum;
    }
}
EXPORT_KERNEL(clip_accumulate_totals)

// sums[j] += rint(x[j] * multiplier). A thread per column.
extern "C" __global__ void __launch_bounds__(kThreads) clip_accumulate_row(
    const float* __restrict__ x, int length, double multiplier, long long* __restrict__ sums) {
    const long long at = static_cast<long long>(blockIdx.x) * kThreads + threadIdx.x;
    if (at < length) {
        sums[at] += on_grid(x[at], multiplier);
    }
}
EXPORT_KERNEL(clip_accumulate_row)
