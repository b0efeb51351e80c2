// Attention in fp32. A row of a head is spread over d/16 lanes rounded up to a power of two (`kSplit`), 16 values each,
// so that a query with its sums fits in registers for every d; the rows of the other side pass through shared memory
// and are read there by all lanes at once.
//
// Forward: a thread owns two queries, keys come in fours, so that one comparison with the running maximum serves four.
// Backward recomputes probabilities from logSumExp in two passes, one that owns queries (dq, and delta = dy·y for the
// other), one that owns keys (dk, dv): no atomics, and the order of every sum is that of the keys or queries.
#pragma once

#include "attention_head.cuh"
#include "quad.cuh"

namespace attention_rows {

constexpr int kTileFloats = 4096;  // of each of two tensors in shared memory
constexpr float kLog2E = 1.44269504f;

// e^x where x ≤ 0 or nearly so; relative error about |x|·2⁻²⁴.
__device__ __forceinline__ float exponential(float x) {
    return power_of_two(x * kLog2E);
}

// One lane's share of a row: quads part, part + kSplit, … of the 4·kSplit quads of 16·kSplit values.
struct Share {
    float4 quad[4];
};

template <int kSplit>
__device__ __forceinline__ int lane_part() {
    return threadIdx.x % kSplit;
}

template <int kSplit>
__device__ __forceinline__ Share read_share(const float* row, int width, bool quads) {
    Share share;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int c = (lane_part<kSplit>() + kSplit * i) * 4;
        share.quad[i] = c < width ? read_quad(row + c, quads, width - c) : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    }
    return share;
}

// A row of a tile in shared memory.
template <int kSplit>
__device__ __forceinline__ Share read_share(const float* row) {
    Share share;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        share.quad[i] = read_quad(row + (lane_part<kSplit>() + kSplit * i) * 4);
    }
    return share;
}

template <int kSplit>
__device__ __forceinline__ void
write_share(float* row, const Share& share, float factor, int width, bool quads, bool accumulate) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int c = (lane_part<kSplit>() + kSplit * i) * 4;
        if (c < width) {
            float4 value = each(share.quad[i], [=](float v) { return v * factor; });
            if (accumulate) {
                value = read_quad(row + c, quads, width - c) + value;
            }
            write_quad(row + c, value, quads, width - c);
        }
    }
}

__device__ __forceinline__ Share zero_share() {
    Share share;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        share.quad[i] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    }
    return share;
}

// The product of two rows, in every lane that shares them.
template <int kSplit>
__device__ __forceinline__ float dot(const Share& a, const Share& b) {
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        sum = fmaf(a.quad[i].x, b.quad[i].x, sum);
        sum = fmaf(a.quad[i].y, b.quad[i].y, sum);
        sum = fmaf(a.quad[i].z, b.quad[i].z, sum);
        sum = fmaf(a.quad[i].w, b.quad[i].w, sum);
    }
#pragma unroll
    for (int offset = 1; offset < kSplit; offset *= 2) {
        sum += __shfl_xor_sync(kAllLanes, sum, offset);
    }
    return sum;
}

// sums += factor·row
__device__ __forceinline__ void add_scaled(Share& sums, float factor, const Share& row) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        sums.quad[i] = each(row.quad[i], sums.quad[i], [=](float r, float s) { return fmaf(factor, r, s); });
    }
}

// Copies `count` rows of a head to shared memory, padded with zeros to 16·kSplit values and to whole fours of rows.
template <int kSplit>
__device__ __forceinline__ void
load_tile(const float* from, int count, int channels, int width, bool quads, float* tile) {
    constexpr int kQuads = 4 * kSplit;
    const int items = (count + 3) / 4 * 4 * kQuads;
    for (int item = threadIdx.x; item < items; item += blockDim.x) {
        const int row = item / kQuads;
        const int c = item % kQuads * 4;
        write_quad(
            tile + item * 4,
            row < count && c < width ? read_quad(from + row * channels + c, quads, width - c)
                                     : make_float4(0.0f, 0.0f, 0.0f, 0.0f));
    }
}

template <int kSplit>
__device__ __forceinline__ void forward(
    const float* __restrict__ q,
    const float* __restrict__ k,
    const float* __restrict__ v,
    int queries,
    int keys,
    int channels,
    int heads,
    int blocks,
    float scale,
    float* __restrict__ log_sum_exp,
    float* __restrict__ y) {
    constexpr int kRows = 2;
    constexpr int kKeys = 4;
    constexpr int kDims = 16 * kSplit;
    constexpr int kTile = kTileFloats / kDims;
    __shared__ __align__(16) float k_tile[kTileFloats];
    __shared__ __align__(16) float v_tile[kTileFloats];
    const Head head(blocks, heads, queries, keys, channels);
    const int width = channels / heads;
    const bool aligned = channels % 4 == 0 && width % 4 == 0;
    const bool q_quads = aligned && is_aligned16(q);
    const bool k_quads = aligned && is_aligned16(k);
    const bool v_quads = aligned && is_aligned16(v);
    const int groups = blockDim.x / kSplit;
    const int first = head.block * groups * kRows + static_cast<int>(threadIdx.x) / kSplit;

    Share query[kRows];
    Share sums[kRows];
    float most[kRows];
    float normalizer[kRows];
#pragma unroll
    for (int r = 0; r < kRows; r++) {
        const int i = first + r * groups;
        query[r] = i < queries ? read_share<kSplit>(q + head.rows_q + i * channels, width, q_quads) : zero_share();
        sums[r] = zero_share();
        most[r] = -CUDART_INF_F;
        normalizer[r] = 0.0f;
    }

    for (int from = 0; from < keys; from += kTile) {
        const int count = min(kTile, keys - from);
        const long long start = head.rows_k + static_cast<long long>(from) * channels;
        __syncthreads();
        load_tile<kSplit>(k + start, count, channels, width, k_quads, k_tile);
        load_tile<kSplit>(v + start, count, channels, width, v_quads, v_tile);
        __syncthreads();
        for (int j = 0; j < count; j += kKeys) {
            float weight[kRows][kKeys];
#pragma unroll
            for (int each_key = 0; each_key < kKeys; each_key++) {
                const Share key = read_share<kSplit>(k_tile + (j + each_key) * kDims);
#pragma unroll
                for (int r = 0; r < kRows; r++) {
                    const float score = scale * dot<kSplit>(query[r], key);
                    weight[r][each_key] = j + each_key < count ? score : -CUDART_INF_F;
                }
            }
#pragma unroll
            for (int r = 0; r < kRows; r++) {
                const float highest = fmaxf(
                    most[r],
                    fmaxf(fmaxf(weight[r][0], weight[r][1]), fmaxf(weight[r][2], weight[r][3])));
                // Without this, a row that has met nothing but −∞ so far would subtract −∞ from it.
                const float centre = highest == -CUDART_INF_F ? 0.0f : highest;
                if (highest > most[r]) {
                    const float shrink = exponential(most[r] - centre);
                    normalizer[r] *= shrink;
#pragma unroll
                    for (int part = 0; part < 4; part++) {
                        sums[r].quad[part] = each(sums[r].quad[part], [=](float s) { return s * shrink; });
                    }
                    most[r] = highest;
                }
#pragma unroll
                for (int each_key = 0; each_key < kKeys; each_key++) {
                    weight[r][each_key] = exponential(weight[r][each_key] - centre);
                    normalizer[r] += weight[r][each_key];
                }
            }
#pragma unroll
            for (int each_key = 0; each_key < kKeys; each_key++) {
                const Share value = read_share<kSplit>(v_tile + (j + each_key) * kDims);
#pragma unroll
                for (int r = 0; r < kRows; r++) {
                    add_scaled(sums[r], weight[r][each_key], value);
                }
            }
        }
    }

    const bool y_quads = aligned && is_aligned16(y);
#pragma unroll
    for (int r = 0; r < kRows; r++) {
        const int i = first + r * groups;
        if (i < queries) {
            write_share<kSplit>(
                y + head.rows_q + i * channels, sums[r], 1.0f / normalizer[r], width, y_quads, false);
            if (lane_part<kSplit>() == 0) {
                log_sum_exp[head.queries + i] = most[r] + logf(normalizer[r]);
            }
        }
    }
}

// dq_i = Σ_j ds_ij·k_j/√d with ds_ij = p_ij·(dy_i·v_j − delta_i); keeps delta_i = dy_i·y_i.
template <int kSplit>
__device__ __forceinline__ void backward_queries(
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
    int blocks,
    float scale,
    float* __restrict__ delta,
    float* __restrict__ dq,
    int accumulate) {
    constexpr int kRows = 2;
    constexpr int kDims = 16 * kSplit;
    constexpr int kTile = kTileFloats / kDims;
    __shared__ __align__(16) float k_tile[kTileFloats];
    __shared__ __align__(16) float v_tile[kTileFloats];
    const Head head(blocks, heads, queries, keys, channels);
    const int width = channels / heads;
    const bool aligned = channels % 4 == 0 && width % 4 == 0;
    const bool k_quads = aligned && is_aligned16(k);
    const bool v_quads = aligned && is_aligned16(v);
    const int groups = blockDim.x / kSplit;
    const int first = head.block * groups * kRows + static_cast<int>(threadIdx.x) / kSplit;

    Share query[kRows];
    Share gradient[kRows];
    Share sums[kRows];
    float normalizer[kRows];
    float expected[kRows];
#pragma unroll
    for (int r = 0; r < kRows; r++) {
        const int i = first + r * groups;
        const long long row = head.rows_q + i * channels;
        query[r] = zero_share();
        gradient[r] = zero_share();
        sums[r] = zero_share();
        normalizer[r] = 0.0f;
        Share output = zero_share();
        if (i < queries) {
            query[r] = read_share<kSplit>(q + row, width, aligned && is_aligned16(q));
            gradient[r] = read_share<kSplit>(dy + row, width, aligned && is_aligned16(dy));
            output = read_share<kSplit>(y + row, width, aligned && is_aligned16(y));
            normalizer[r] = log_sum_exp[head.queries + i];
        }
        expected[r] = dot<kSplit>(gradient[r], output);
        if (i < queries && lane_part<kSplit>() == 0) {
            delta[head.queries + i] = expected[r];
        }
    }

    for (int from = 0; from < keys; from += kTile) {
        const int count = min(kTile, keys - from);
        const long long start = head.rows_k + static_cast<long long>(from) * channels;
        __syncthreads();
        load_tile<kSplit>(k + start, count, channels, width, k_quads, k_tile);
        load_tile<kSplit>(v + start, count, channels, width, v_quads, v_tile);
        __syncthreads();
        for (int j = 0; j < count; j++) {
            const Share key = read_share<kSplit>(k_tile + j * kDims);
            const Share value = read_share<kSplit>(v_tile + j * kDims);
#pragma unroll
            for (int r = 0; r < kRows; r++) {
                const float probability = exponential(scale * dot<kSplit>(query[r], key) - normalizer[r]);
                const float slope = probability * (dot<kSplit>(gradient[r], value) - expected[r]);
                add_scaled(sums[r], slope, key);
            }
        }
    }

    const bool dq_quads = aligned && is_aligned16(dq);
#pragma unroll
    for (int r = 0; r < kRows; r++) {
        const int i = first + r * groups;
        if (i < queries) {
            write_share<kSplit>(dq + head.rows_q + i * channels, sums[r], scale, width, dq_quads, accumulate);
        }
    }
}

// dv_j = Σ_i p_ij·dy_i and dk_j = Σ_i ds_ij·q_i/√d.
template <int kSplit>
__device__ __forceinline__ void backward_keys(
    const float* __restrict__ q,
    const float* __restrict__ k,
    const float* __restrict__ v,
    const float* __restrict__ log_sum_exp,
    const float* __restrict__ delta,
    const float* __restrict__ dy,
    int queries,
    int keys,
    int channels,
    int heads,
    int blocks,
    float scale,
    float* __restrict__ dk,
    int accumulate_k,
    float* __restrict__ dv,
    int accumulate_v) {
    constexpr int kDims = 16 * kSplit;
    constexpr int kTile = kTileFloats / kDims;
    __shared__ __align__(16) float q_tile[kTileFloats];
    __shared__ __align__(16) float dy_tile[kTileFloats];
    __shared__ float normalizer[kTile];
    __shared__ float expected[kTile];
    const Head head(blocks, heads, queries, keys, channels);
    const int width = channels / heads;
    const bool aligned = channels % 4 == 0 && width % 4 == 0;
    const bool q_quads = aligned && is_aligned16(q);
    const bool dy_quads = aligned && is_aligned16(dy);
    const int j = head.block * (blockDim.x / kSplit) + static_cast<int>(threadIdx.x) / kSplit;
    const long long own = head.rows_k + static_cast<long long>(j) * channels;

    const Share key = j < keys ? read_share<kSplit>(k + own, width, aligned && is_aligned16(k)) : zero_share();
    const Share value = j < keys ? read_share<kSplit>(v + own, width, aligned && is_aligned16(v)) : zero_share();
    Share key_sums = zero_share();
    Share value_sums = zero_share();
    for (int from = 0; from < queries; from += kTile) {
        const int count = min(kTile, queries - from);
        const long long start = head.rows_q + static_cast<long long>(from) * channels;
        __syncthreads();
        load_tile<kSplit>(q + start, count, channels, width, q_quads, q_tile);
        load_tile<kSplit>(dy + start, count, channels, width, dy_quads, dy_tile);
        for (int i = threadIdx.x; i < count; i += blockDim.x) {
            normalizer[i] = log_sum_exp[head.queries + from + i];
            expected[i] = delta[head.queries + from + i];
        }
        __syncthreads();
        for (int i = 0; i < count; i++) {
            const Share query = read_share<kSplit>(q_tile + i * kDims);
            const Share gradient = read_share<kSplit>(dy_tile + i * kDims);
            const float probability = exponential(scale * dot<kSplit>(query, key) - normalizer[i]);
            const float slope = probability * (dot<kSplit>(gradient, value) - expected[i]);
            add_scaled(value_sums, probability, gradient);
            add_scaled(key_sums, slope, query);
        }
    }
    if (j < keys) {
        write_share<kSplit>(dk + own, key_sums, scale, width, aligned && is_aligned16(dk), accumulate_k);
        write_share<kSplit>(dv + own, value_sums, 1.0f, width, aligned && is_aligned16(dv), accumulate_v);
    }
}

}  // namespace attention_rows
