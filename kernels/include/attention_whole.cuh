// The gradients of attention in one pass, in bfloat16 on tensor cores, for heads whose rows fit in shared memory as a
// whole: a block per head computes the scores once, not once for dq and once more for dk and dv.
//
// A warp owns 16 keys, with dk and dv in its registers, and goes through the queries; their scores' gradients ds it
// leaves in shared memory. When that has been done for a round of queries, the warps share out dq = ds·k among them,
// 16 queries and 16 columns at a time. So every sum has one owner and one order.
#pragma once

#include "attention_fragments.cuh"

namespace attention_whole {

using attention_fragments::Bfloat16;
using attention_fragments::kChunk;
using attention_fragments::kLog2E;
using attention_fragments::kRows;
using attention_fragments::lane_column;
using attention_fragments::lane_row;
using attention_fragments::OwnRows;
using attention_fragments::ScoresOf;

constexpr int kStep = 16;    // queries that a warp takes at a time
constexpr int kRound = 128;  // queries between two barriers

using Scores = ScoresOf<kStep / 8>;

__device__ __forceinline__ int round_up(int count, int multiple) {
    return (count + multiple - 1) / multiple * multiple;
}

// The rows of one head of a tensor.
struct HeadRows {
    const float* first;
    int count;
    int channels;
    int width;
    bool quads;  // whether a row can be read in quads

    __device__ HeadRows(const float* tensor, long long offset, int count, int channels, int width)
        : first(tensor + offset),
          count(count),
          channels(channels),
          width(width),
          quads(channels % 4 == 0 && width % 4 == 0 && is_aligned16(tensor)) {}

    // Four values from column c on, zeros outside.
    __device__ __forceinline__ float4 quad(int row, int c) const {
        return row < count && c < width ? read_quad(first + row * channels + c, quads, width - c)
                                        : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    }
};

// Brings k, q and dy of a head to shared memory and computes delta = dy·y of each query. All are padded with zeros to
// kDims columns and a multiple of kChunk rows.
template <int kDims>
__device__ __forceinline__ void load_head(
    const HeadRows& k,
    const HeadRows& q,
    const HeadRows& dy,
    const HeadRows& y,
    bfloat16* k_rows,
    bfloat16* q_rows,
    bfloat16* dy_rows,
    float* delta) {
    using Format = Bfloat16<kDims>;
    constexpr int kQuads = kDims / 4;
    const int keys = round_up(k.count, kChunk);
    const int queries = round_up(q.count, kChunk);
#pragma unroll 2
    for (int item = threadIdx.x; item < max(keys, queries) * kQuads; item += blockDim.x) {
        const int row = item / kQuads;
        const int c = item % kQuads * 4;
        const int at = row * Format::kStride + c;
        const float4 key = k.quad(row, c);
        const float4 query = q.quad(row, c);
        const float4 gradient = dy.quad(row, c);
        const float4 output = y.quad(row, c);
        const float4 products = each(gradient, output, [](float a, float b) { return a * b; });
        float sum = (products.x + products.y) + (products.z + products.w);
#pragma unroll
        for (int offset = kQuads / 2; offset > 0; offset /= 2) {
            sum += __shfl_xor_sync(kAllLanes, sum, offset);
        }
        if (row < keys) {
            Format::put(k_rows + at, key);
        }
        if (row < queries) {
            Format::put(q_rows + at, query);
            Format::put(dy_rows + at, gradient);
            if (c == 0) {
                delta[row] = sum;
            }
        }
    }
}

// Leaves 16 keys' share of ds, rounded, in shared memory: rows are keys, columns queries.
__device__ __forceinline__ void put_slopes(const Scores& slope, bfloat16* low_row, int stride) {
#pragma unroll
    for (int n = 0; n < kStep / 8; n++) {
        bfloat16* low = low_row + n * 8 + lane_column() * 2;
        *reinterpret_cast<unsigned*>(low) = pack_bfloat16(slope[n][0], slope[n][1]);
        *reinterpret_cast<unsigned*>(low + 8 * stride) = pack_bfloat16(slope[n][2], slope[n][3]);
    }
}

// dq of 16 queries and 16 columns: sums[column / 8] += ds·k over `keys`, a multiple of 16. `slopes` points to the first
// query's column, `k_rows` to the first column of k.
template <int kDims>
__device__ __forceinline__ void
add_queries(float (&sums)[2][4], const bfloat16* slopes, int stride, const bfloat16* k_rows, int keys) {
    constexpr int kStride = Bfloat16<kDims>::kStride;
    const int lane = threadIdx.x % kWarp;
    const bfloat16* left = slopes + (lane / 16 * 8 + lane % 8) * stride + lane / 8 % 2 * 8;
    const bfloat16* right = k_rows + lane % 16 * kStride + lane / 16 * 8;
#pragma unroll 4
    for (int key = 0; key < keys; key += 16) {
        unsigned a[4];
        unsigned b[4];
        load_matrices_transposed(a, left + key * stride);
        load_matrices_transposed(b, right + key * kStride);
        multiply_bfloat16(sums[0], a, b[0], b[1]);
        multiply_bfloat16(sums[1], a, b[2], b[3]);
    }
}

// One block per head, of a warp per 16 keys. Shared memory: k [keys, dims + 8], q and dy [queries, dims + 8] in
// bfloat16, keys and queries rounded up to 32; ds [keys, columns + 8] with columns = min(queries, kRound); two floats
// per query.
template <int kDims>
__device__ __forceinline__ void backward(
    const float* __restrict__ q,
    const float* __restrict__ k,
    const float* __restrict__ v,
    const float* __restrict__ log_sum_exp,
    const float* __restrict__ y,
    const float* __restrict__ dy,
    int queries,
    int keys,
    int channels,
    int heads,
    float scale,
    float* __restrict__ dq,
    int accumulate_q,
    float* __restrict__ dk,
    int accumulate_k,
    float* __restrict__ dv,
    int accumulate_v) {
    using Format = Bfloat16<kDims>;
    constexpr int kStride = Format::kStride;
    SHARED_DYNAMIC(dynamic);
    const Head head(1, heads, queries, keys, channels);
    const int width = channels / heads;
    const int warp = threadIdx.x / kWarp;
    const int warps = blockDim.x / kWarp;
    const bool aligned = channels % 4 == 0 && width % 4 == 0;
    const int key_rows = round_up(keys, kChunk);
    const int query_rows = round_up(queries, kChunk);
    const int slope_stride = min(query_rows, kRound) + 8;
    bfloat16* k_rows = reinterpret_cast<bfloat16*>(dynamic);
    bfloat16* q_rows = k_rows + key_rows * kStride;
    bfloat16* dy_rows = q_rows + query_rows * kStride;
    bfloat16* slopes = dy_rows + query_rows * kStride;
    float* delta = reinterpret_cast<float*>(slopes + key_rows * slope_stride);
    float* normalizer = delta + query_rows;

    const OwnRows own = OwnRows::of(0, keys, channels, width);
    typename Format::Own key;
    typename Format::Own value;
    own.read<Format>(value, v + head.rows_k);
    own.read<Format>(key, k + head.rows_k);
    load_head<kDims>(
        HeadRows(k, head.rows_k, keys, channels, width), HeadRows(q, head.rows_q, queries, channels, width),
        HeadRows(dy, head.rows_q, queries, channels, width), HeadRows(y, head.rows_q, queries, channels, width), k_rows,
        q_rows, dy_rows, delta);
    for (int i = threadIdx.x; i < query_rows; i += blockDim.x) {
        // A query that does not exist gives every key the weight 2^−∞.
        normalizer[i] = i < queries ? log_sum_exp[head.queries + i] * kLog2E : CUDART_INF_F;
    }
    __syncthreads();

    float key_sums[kDims / 8][4] = {};
    float value_sums[kDims / 8][4] = {};
    const bool all_exist = (warp + 1) * kRows <= keys;
    for (int from = 0; from < queries; from += kRound) {
        const int end = min(from + kRound, query_rows);
        for (int chunk = from; chunk < end; chunk += kStep) {
            Scores weight;
            Scores slope;
            attention_fragments::clear(weight);
            attention_fragments::clear(slope);
            Format::score(weight, key, q_rows + chunk * kStride);
            Format::score(slope, value, dy_rows + chunk * kStride);
#pragma unroll
            for (int n = 0; n < kStep / 8; n++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    const int query = chunk + n * 8 + lane_column() * 2 + i % 2;
                    const float probability = power_of_two(fmaf(weight[n][i], scale * kLog2E, -normalizer[query]));
                    weight[n][i] = probability;
                    slope[n][i] = probability * (slope[n][i] - delta[query]);
                }
            }
            if (!all_exist) {
#pragma unroll
                for (int n = 0; n < kStep / 8; n++) {
#pragma unroll
                    for (int i = 0; i < 4; i++) {
                        slope[n][i] = own.exists(i / 2) ? slope[n][i] : 0.0f;
                    }
                }
            }
            put_slopes(slope, slopes + (warp * kRows + lane_row()) * slope_stride + chunk - from, slope_stride);
            Format::add(value_sums, weight, dy_rows + chunk * kStride);
            Format::add(key_sums, slope, q_rows + chunk * kStride);
        }
        __syncthreads();
        constexpr int kColumns = kDims / 16;  // tasks per 16 queries
        for (int task = warp; task < (end - from) / kRows * kColumns; task += warps) {
            const int row = task / kColumns * kRows;
            const int column = task % kColumns * 16;
            float sums[2][4] = {};
            add_queries<kDims>(sums, slopes + row, slope_stride, k_rows + column, warps * kRows);
            const OwnRows target(from + row + lane_row(), queries, channels, width - column);
#pragma unroll
            for (int half = 0; half < 2; half++) {
                target.write<16>(
                    dq + head.rows_q + column, sums, half, scale, aligned && is_aligned16(dq), accumulate_q);
            }
        }
        __syncthreads();
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
        own.write<kDims>(dk + head.rows_k, key_sums, half, scale, aligned && is_aligned16(dk), accumulate_k);
        own.write<kDims>(dv + head.rows_k, value_sums, half, 1.0f, aligned && is_aligned16(dv), accumulate_v);
    }
}

}  // namespace attention_whole
