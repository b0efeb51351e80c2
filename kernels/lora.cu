// Low-rank adaptation: down to rank r and up again in one launch.
//
//   lora_down_up    low [R, r] = alpha · x·D, then y [R, out] += beta · low·U, if there is a y
//
// Forward: D = Aᵀ, U = Bᵀ, alpha = 1, beta = scale. Backward: x = dy, D = B, U = A, alpha = scale, beta = 1. A factor
// is read through two strides, one of which is 1, so that none is transposed: D(i, j) stands at
// i·down_inner + j·down_rank, U(j, o) at j·up_rank + o·up_outer.
//
// Launch contract: a block of 128 threads for every 32 rows, one dimension, with 4·32·(r rounded up to a multiple of 4)
// bytes of dynamic shared memory. Any alignment; any r for which that fits.
//
// Always float32, in every precision: with r = 4 the arithmetic is 4·R·r·(in + out) FLOP, 0.3 GFLOP for [65536, 128] on
// both sides, and hides behind the bytes: 4·R·(in + r + 2·out), 102 MB or 24 µs on an H200. `low` is never read back,
// and y is touched once.
//
// A warp works alone, on eight rows at once, so that it has 8 KB on their way to it and waits for memory once: the rows
// of y are asked for before those of x have arrived. With one row for each lane and barriers between the three steps,
// which waits three times, [65536, 128] took 53 µs.
#include "quad.cuh"

namespace {

constexpr int kRows = 32;
constexpr int kThreads = 128;
constexpr int kOwnRows = kRows / (kThreads / kWarp);
// Ranks at a time.
constexpr int kRanks = 4;
// Columns that a warp takes at a time, a quad for each lane.
constexpr int kColumns = 4 * kWarp;
static_assert(kOwnRows * kRanks == kWarp, "a finished sum for each lane");

// Four neighbours of which `count` exist, zeros for the others. With kWhole they exist together or not at all, and are
// aligned.
template <bool kWhole>
__device__ __forceinline__ float4 read_some(const float* from, int count) {
    if (kWhole) {
        return count > 0 ? read_quad(from) : make_float4(0, 0, 0, 0);
    }
    return read_quad(from, false, count);
}

// D transposed or U: a matrix [ranks, columns] with one of the two strides 1.
struct Factor {
    const float* first;
    int rank_stride;
    int column_stride;
    int ranks;
    int columns;

    __device__ __forceinline__ bool is_whole() const {
        return is_aligned16(first) && ranks % 4 == 0 && columns % 4 == 0;
    }

    // values[j] = the four columns from `column` on, of rank `rank` + j.
    template <bool kWhole>
    __device__ __forceinline__ void read(int rank, int column, float4 (&values)[kRanks]) const {
        if (column_stride == 1) {
#pragma unroll
            for (int j = 0; j < kRanks; j++) {
                values[j] = read_some<kWhole>(first + static_cast<long long>(rank + j) * rank_stride + column,
                                              rank + j < ranks ? columns - column : 0);
            }
            return;
        }
        float4 of_column[4];
#pragma unroll
        for (int c = 0; c < 4; c++) {
            of_column[c] = read_some<kWhole>(first + static_cast<long long>(column + c) * column_stride + rank,
                                             column + c < columns ? ranks - rank : 0);
        }
        values[0] = make_float4(of_column[0].x, of_column[1].x, of_column[2].x, of_column[3].x);
        values[1] = make_float4(of_column[0].y, of_column[1].y, of_column[2].y, of_column[3].y);
        values[2] = make_float4(of_column[0].z, of_column[1].z, of_column[2].z, of_column[3].z);
        values[3] = make_float4(of_column[0].w, of_column[1].w, of_column[2].w, of_column[3].w);
    }
};

// The rows of a matrix [rows, columns] that this warp owns.
template <bool kWhole>
__device__ __forceinline__ void read_rows(const float* matrix, int rows, int columns, int first_row, int column,
                                          float4 (&values)[kOwnRows]) {
#pragma unroll
    for (int row = 0; row < kOwnRows; row++) {
        values[row] = read_some<kWhole>(matrix + static_cast<long long>(first_row + row) * columns + column,
                                        first_row + row < rows ? columns - column : 0);
    }
}

// Of value i of all lanes, the sum, to lane i. Each step halves what a lane still holds: 31 shuffles for 32 sums. All
// sums are formed in the same order.
template <int kHeld>
__device__ __forceinline__ float sum_to_own_lane(const float (&values)[kHeld]) {
    if constexpr (kHeld == 1) {
        return values[0];
    } else {
        constexpr int kHalf = kHeld / 2;
        const bool upper = (threadIdx.x & kHalf) != 0;
        float halves[kHalf];
#pragma unroll
        for (int i = 0; i < kHalf; i++) {
            const float given = upper ? values[i] : values[i + kHalf];
            const float received = __shfl_xor_sync(kAllLanes, given, kHalf);
            halves[i] = (upper ? values[i + kHalf] : values[i]) + received;
        }
        return sum_to_own_lane(halves);
    }
}

// Element (row, j) of x·D for this warp's rows and the ranks from `rank` on, in lane row · kRanks + j.
template <bool kWhole>
__device__ __forceinline__ float down(const float* x, int rows, int first_row, const Factor& d, int rank) {
    float sums[kWarp] = {};
    for (int column = threadIdx.x % kWarp * 4; column < d.columns; column += kColumns) {
        float4 values[kOwnRows];
        float4 factor[kRanks];
        read_rows<kWhole>(x, rows, d.columns, first_row, column, values);
        d.template read<kWhole>(rank, column, factor);
#pragma unroll
        for (int row = 0; row < kOwnRows; row++) {
#pragma unroll
            for (int j = 0; j < kRanks; j++) {
                float& sum = sums[row * kRanks + j];
                sum = fmaf(values[row].x, factor[j].x, sum);
                sum = fmaf(values[row].y, factor[j].y, sum);
                sum = fmaf(values[row].z, factor[j].z, sum);
                sum = fmaf(values[row].w, factor[j].w, sum);
            }
        }
    }
    return sum_to_own_lane(sums);
}

// y + beta · sum, the product rounded first.
__device__ __forceinline__ float4 add_scaled(float4 y, float beta, float4 sum) {
    return each(y, sum, [=](float old, float added) { return __fadd_rn(old, __fmul_rn(beta, added)); });
}

template <bool kWhole>
__device__ __forceinline__ void down_up(const float* x, int rows, const Factor& d, float alpha, float* low,
                                        const Factor& u, float beta, float* y, float* low_shared, int pitch) {
    const int lane = threadIdx.x % kWarp;
    const int first_row =
        static_cast<int>(blockIdx.x) * kRows + static_cast<int>(threadIdx.x) / kWarp * kOwnRows;
    const int first_column = lane * 4;
    const int own_row = lane / kRanks;
    float4 old[kOwnRows] = {};
    if (y != nullptr && first_column < u.columns) {
        read_rows<kWhole>(y, rows, u.columns, first_row, first_column, old);
    }
    for (int rank = 0; rank < d.ranks; rank += kRanks) {
        const int own_rank = rank + lane % kRanks;
        const bool exists = own_rank < d.ranks;
        const float value = __fmul_rn(alpha, down<kWhole>(x, rows, first_row, d, rank));
        low_shared[own_row * pitch + own_rank] = exists ? value : 0;
        if (exists && first_row + own_row < rows) {
            low[static_cast<long long>(first_row + own_row) * d.ranks + own_rank] = value;
        }
    }
    __syncwarp();
    if (y == nullptr) {
        return;
    }
    for (int column = first_column; column < u.columns; column += kColumns) {
        float4 sums[kOwnRows] = {};
        for (int rank = 0; rank < u.ranks; rank += kRanks) {
            float4 factor[kRanks];
            u.template read<kWhole>(rank, column, factor);
#pragma unroll
            for (int row = 0; row < kOwnRows; row++) {
                // The same address for the whole warp.
                const float4 values = read_quad(low_shared + row * pitch + rank);
                sums[row] = each(sums[row], factor[0], [=](float sum, float f) { return fmaf(values.x, f, sum); });
                sums[row] = each(sums[row], factor[1], [=](float sum, float f) { return fmaf(values.y, f, sum); });
                sums[row] = each(sums[row], factor[2], [=](float sum, float f) { return fmaf(values.z, f, sum); });
                sums[row] = each(sums[row], factor[3], [=](float sum, float f) { return fmaf(values.w, f, sum); });
            }
        }
#pragma unroll
        for (int row = 0; row < kOwnRows; row++) {
            if (first_row + row < rows) {
                write_quad(y + static_cast<long long>(first_row + row) * u.columns + column,
                           add_scaled(old[row], beta, sums[row]), kWhole, u.columns - column);
            }
        }
        if (column + kColumns < u.columns) {
            read_rows<kWhole>(y, rows, u.columns, first_row, column + kColumns, old);
        }
    }
}

}  // namespace

extern "C" __global__ __launch_bounds__(kThreads) void lora_down_up(const float* x, int rows, int inner, const float* d,
                                                                    int down_inner, int down_rank, int rank,
                                                                    float alpha, float* low, const float* u,
                                                                    int up_rank, int up_outer, int outer, float beta,
                                                                    float* y) {
    SHARED_DYNAMIC(shared);
    const Factor factor_d = {d, down_rank, down_inner, rank, inner};
    const Factor factor_u = {u, up_rank, up_outer, rank, outer};
    const int pitch = (rank + kRanks - 1) / kRanks * kRanks;
    float* const low_shared = reinterpret_cast<float*>(shared) + threadIdx.x / kWarp * kOwnRows * pitch;
    if (factor_d.is_whole() && factor_u.is_whole() && is_aligned16(x) && is_aligned16(y)) {
        down_up<true>(x, rows, factor_d, alpha, low, factor_u, beta, y, low_shared, pitch);
    } else {
        down_up<false>(x, rows, factor_d, alpha, low, factor_u, beta, y, low_shared, pitch);
    }
}
EXPORT_KERNEL(lora_down_up)
