// Attention on tensor cores. A warp owns 16 rows, in fragments of a multiplication; the rows of the other side pass
// through shared memory, rounded to TF32 or bfloat16 when they are put there, and are taken 32 at a time. Sums, maxima
// and exponentials are fp32. attention_whole.cuh has the gradients of heads that fit in shared memory as a whole.
//
// A tile of scores, 16 x 32, comes out of one multiplication and goes into the next as its left factor without leaving
// its registers: for bfloat16 the places of a result and of a left factor agree; for TF32 they agree if the depth of
// the second multiplication is counted 0, 2, 4, 6, 1, 3, 5, 7, which the right factor then follows.
#pragma once

#include "attention_head.cuh"
#include "quad.cuh"
#include "tensor_core.cuh"

namespace attention_fragments {

constexpr int kRows = 16;   // of a warp
constexpr int kChunk = 32;  // rows of the other side that are taken at a time
constexpr int kTile = 64;   // rows of the other side in shared memory, if they do not all fit
constexpr float kLog2E = 1.44269504f;
constexpr float kLn2 = 0.69314718f;

// Where a lane's part of a fragment stands.
__device__ __forceinline__ int lane_row() {
    return threadIdx.x % kWarp / 4;
}

__device__ __forceinline__ int lane_column() {
    return threadIdx.x % 4;
}

// A value of a row of a head, zero outside.
__device__ __forceinline__ float value_at(const float* row, bool exists, int c, int width) {
    return exists && c < width ? row[c] : 0.0f;
}

// Two neighbours; `pairs` says that they can be read at once.
__device__ __forceinline__ float2 pair_at(const float* row, bool exists, int c, int width, bool pairs) {
    if (pairs) {
        return exists && c < width ? *reinterpret_cast<const float2*>(row + c) : make_float2(0.0f, 0.0f);
    }
    return make_float2(value_at(row, exists, c, width), value_at(row, exists, c + 1, width));
}

// How many rows, at most 256, two tensors may have to stay in 76 KiB of shared memory.
__device__ constexpr int rows_that_fit(int row_bytes) {
    return 76 * 1024 / (2 * row_bytes) < 256 ? 76 * 1024 / (2 * row_bytes) / kChunk * kChunk : 256;
}

__device__ __forceinline__ bool is_aligned8(const void* pointer) {
    return (reinterpret_cast<uintptr_t>(pointer) & 7) == 0;
}

// Scores of 16 rows and 8·kEights rows of the other side.
template <int kEights>
using ScoresOf = float[kEights][4];
using Scores = ScoresOf<kChunk / 8>;

template <int kEights>
__device__ __forceinline__ void clear(ScoresOf<kEights>& scores) {
#pragma unroll
    for (int n = 0; n < kEights; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            scores[n][i] = 0.0f;
        }
    }
}

// The two formats of factors. kDims is d rounded up to 16, 32 or 64.
template <int kDims>
struct Bfloat16 {
    using Element = bfloat16;
    using Own = unsigned[kDims / 16][4];
    static constexpr int kStride = kDims + 8;  // of rows in shared memory: 8 rows of 16 bytes hit all banks once

    // This lane's part of 16 rows, as a left factor.
    static __device__ __forceinline__ void read_own(
        Own& own, const float* low, bool low_exists, const float* high, bool high_exists, int width, bool pairs) {
#pragma unroll
        for (int step = 0; step < kDims / 16; step++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const int c = step * 16 + i / 2 * 8 + lane_column() * 2;
                const float2 both = i % 2 == 0 ? pair_at(low, low_exists, c, width, pairs)
                                               : pair_at(high, high_exists, c, width, pairs);
                own[step][i] = pack_bfloat16(both.x, both.y);
            }
        }
    }

    static __device__ __forceinline__ void put(Element* to, float4 value) {
        unsigned* words = reinterpret_cast<unsigned*>(to);
        words[0] = pack_bfloat16(value.x, value.y);
        words[1] = pack_bfloat16(value.z, value.w);
    }

    // scores += own · rowsᵀ, over d.
    template <int kEights>
    static __device__ __forceinline__ void score(ScoresOf<kEights>& scores, const Own& own, const Element* rows) {
        const int lane = threadIdx.x % kWarp;
        const Element* at = rows + (lane / 16 * 8 + lane % 8) * kStride + lane / 8 % 2 * 8;
#pragma unroll
        for (int n = 0; n < kEights; n += 2) {
#pragma unroll
            for (int step = 0; step < kDims / 16; step++) {
                unsigned b[4];
                load_matrices(b, at + n * 8 * kStride + step * 16);
                multiply_bfloat16(scores[n], own[step], b[0], b[1]);
                multiply_bfloat16(scores[n + 1], own[step], b[2], b[3]);
            }
        }
    }

    // sums += weights · rows, over the rows.
    template <int kEights>
    static __device__ __forceinline__ void
    add(float (&sums)[kDims / 8][4], const ScoresOf<kEights>& weights, const Element* rows) {
        const int lane = threadIdx.x % kWarp;
        const Element* at = rows + lane % 16 * kStride + lane / 16 * 8;
#pragma unroll
        for (int n = 0; n < kEights; n += 2) {
            const unsigned a[4] = {
                pack_bfloat16(weights[n][0], weights[n][1]),
                pack_bfloat16(weights[n][2], weights[n][3]),
                pack_bfloat16(weights[n + 1][0], weights[n + 1][1]),
                pack_bfloat16(weights[n + 1][2], weights[n + 1][3])};
#pragma unroll
            for (int c = 0; c < kDims / 8; c += 2) {
                unsigned b[4];
                load_matrices_transposed(b, at + n * 8 * kStride + c * 8);
                multiply_bfloat16(sums[c], a, b[0], b[1]);
                multiply_bfloat16(sums[c + 1], a, b[2], b[3]);
            }
        }
    }
};

template <int kDims>
struct Tf32 {
    using Element = unsigned;
    using Own = unsigned[kDims / 8][4];
    static constexpr int kStride = kDims + 4;  // 8 rows of 4 words hit all banks once, and so do 4 pairs of rows

    static __device__ __forceinline__ void read_own(
        Own& own, const float* low, bool low_exists, const float* high, bool high_exists, int width, bool) {
#pragma unroll
        for (int step = 0; step < kDims / 8; step++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const int c = step * 8 + i / 2 * 4 + lane_column();
                own[step][i] = round_tf32(
                    i % 2 == 0 ? value_at(low, low_exists, c, width) : value_at(high, high_exists, c, width));
            }
        }
    }

    static __device__ __forceinline__ void put(Element* to, float4 value) {
        *reinterpret_cast<uint4*>(to)
            = make_uint4(round_tf32(value.x), round_tf32(value.y), round_tf32(value.z), round_tf32(value.w));
    }

    template <int kEights>
    static __device__ __forceinline__ void score(ScoresOf<kEights>& scores, const Own& own, const Element* rows) {
        const Element* at = rows + lane_row() * kStride + lane_column();
#pragma unroll
        for (int n = 0; n < kEights; n++) {
#pragma unroll
            for (int step = 0; step < kDims / 8; step++) {
                const Element* b = at + n * 8 * kStride + step * 8;
                multiply_tf32(scores[n], own[step], b[0], b[4]);
            }
        }
    }

    template <int kEights>
    static __device__ __forceinline__ void
    add(float (&sums)[kDims / 8][4], const ScoresOf<kEights>& weights, const Element* rows) {
        const Element* at = rows + lane_column() * 2 * kStride + lane_row();
#pragma unroll
        for (int n = 0; n < kEights; n++) {
            const unsigned a[4] = {
                round_tf32(weights[n][0]),
                round_tf32(weights[n][2]),
                round_tf32(weights[n][1]),
                round_tf32(weights[n][3])};
#pragma unroll
            for (int c = 0; c < kDims / 8; c++) {
                const Element* b = at + n * 8 * kStride + c * 8;
                multiply_tf32(sums[c], a, b[0], b[kStride]);
            }
        }
    }
};

// Copies `count` rows of a head to shared memory, padded with zeros to kDims values and `rows` rows.
template <class Format, int kDims>
__device__ __forceinline__ void load_tile(
    const float* from, int count, int rows, int channels, int width, bool quads, typename Format::Element* tile) {
#pragma unroll 4
    for (int item = threadIdx.x; item < rows * (kDims / 4); item += blockDim.x) {
        const int row = item / (kDims / 4);
        const int c = item % (kDims / 4) * 4;
        const float4 value = row < count && c < width ? read_quad(from + row * channels + c, quads, width - c)
                                                      : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
        Format::put(tile + row * Format::kStride + c, value);
    }
}

// The 16 rows of a head that a warp owns; the lane has parts of the rows `low` and `low` + 8.
struct OwnRows {
    int low;
    int count;     // rows of the head
    int channels;
    int width;

    __device__ __forceinline__ OwnRows(int low, int count, int channels, int width)
        : low(low), count(count), channels(channels), width(width) {}

    // Those of this warp, if block after block takes 16 rows per warp.
    static __device__ __forceinline__ OwnRows of(int block, int count, int channels, int width) {
        const int warp = block * (blockDim.x / kWarp) + threadIdx.x / kWarp;
        return OwnRows(warp * kRows + lane_row(), count, channels, width);
    }

    __device__ __forceinline__ bool exists(int half) const {
        return low + half * 8 < count;
    }

    __device__ __forceinline__ long long offset(int half) const {
        return static_cast<long long>(low + half * 8) * channels;
    }

    template <class Format>
    __device__ __forceinline__ void read(typename Format::Own& own, const float* head) const {
        const bool pairs = channels % 2 == 0 && width % 2 == 0 && is_aligned8(head);
        Format::read_own(own, head + offset(0), exists(0), head + offset(1), exists(1), width, pairs);
    }

    // The product of the rows of two tensors.
    __device__ __forceinline__ float dot(const float* a, const float* b, int half) const {
        float sum = 0.0f;
        if (exists(half)) {
            for (int c = lane_column(); c < width; c += 4) {
                sum = fmaf(a[offset(half) + c], b[offset(half) + c], sum);
            }
        }
        sum += __shfl_xor_sync(kAllLanes, sum, 1);
        return sum + __shfl_xor_sync(kAllLanes, sum, 2);
    }

    // row = factor·sums, or +=; `pairs` says that two values may be written at once.
    template <int kDims>
    __device__ __forceinline__ void write(
        float* head, const float (&sums)[kDims / 8][4], int half, float factor, bool pairs, bool accumulate) const {
        if (!exists(half)) {
            return;
        }
        float* row = head + offset(half);
#pragma unroll
        for (int n = 0; n < kDims / 8; n++) {
            const int c = n * 8 + lane_column() * 2;
            float first = sums[n][half * 2] * factor;
            float second = sums[n][half * 2 + 1] * factor;
            if (pairs && c < width) {
                float2* target = reinterpret_cast<float2*>(row + c);
                if (accumulate) {
                    const float2 before = *target;
                    first += before.x;
                    second += before.y;
                }
                *target = make_float2(first, second);
                continue;
            }
            if (c < width) {
                row[c] = accumulate ? row[c] + first : first;
            }
            if (c + 1 < width) {
                row[c + 1] = accumulate ? row[c + 1] + second : second;
            }
        }
    }
};

// What a warp's queries have gathered from the keys so far: a softmax that goes on.
template <class Format, int kDims>
struct Gathered {
    float sums[kDims / 8][4] = {};
    float most[2];
    float normalizer[2] = {};  // the part of this lane's columns

    __device__ __forceinline__ Gathered() {
        most[0] = most[1] = -CUDART_INF_F;
    }

    // Adds `count` keys; `scale` is that of scores to the base of 2.
    __device__ __forceinline__ void add(
        const typename Format::Own& query,
        const typename Format::Element* k_tile,
        const typename Format::Element* v_tile,
        int count,
        float scale) {
#pragma unroll 1
        for (int chunk = 0; chunk < count; chunk += kChunk) {
            Scores weight;
            clear(weight);
            Format::score(weight, query, k_tile + chunk * Format::kStride);
            if (count - chunk < kChunk) {
#pragma unroll
                for (int n = 0; n < kChunk / 8; n++) {
#pragma unroll
                    for (int i = 0; i < 4; i++) {
                        const int key = chunk + n * 8 + lane_column() * 2 + i % 2;
                        weight[n][i] = key < count ? weight[n][i] : -CUDART_INF_F;
                    }
                }
            }
            float highest[2] = {-CUDART_INF_F, -CUDART_INF_F};
#pragma unroll
            for (int n = 0; n < kChunk / 8; n++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    highest[i / 2] = fmaxf(highest[i / 2], weight[n][i]);
                }
            }
            float centre[2];
            float shrink[2];
#pragma unroll
            for (int half = 0; half < 2; half++) {
                highest[half] = fmaxf(highest[half], __shfl_xor_sync(kAllLanes, highest[half], 1));
                highest[half] = fmaxf(highest[half], __shfl_xor_sync(kAllLanes, highest[half], 2));
                highest[half] = fmaxf(most[half], highest[half] * scale);
                // Without this, a row that has met nothing but −∞ so far would subtract −∞ from it.
                centre[half] = highest[half] == -CUDART_INF_F ? 0.0f : highest[half];
                shrink[half] = power_of_two(most[half] - centre[half]);
                most[half] = highest[half];
                normalizer[half] *= shrink[half];
            }
#pragma unroll
            for (int n = 0; n < kDims / 8; n++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    sums[n][i] *= shrink[i / 2];
                }
            }
#pragma unroll
            for (int n = 0; n < kChunk / 8; n++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    weight[n][i] = power_of_two(fmaf(weight[n][i], scale, -centre[i / 2]));
                    normalizer[i / 2] += weight[n][i];
                }
            }
            Format::add(sums, weight, v_tile + chunk * Format::kStride);
        }
    }
};

// Keys and values that fit are loaded once, for all the queries of the block.
template <template <int> class FormatOf, int kDims>
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
    using Format = FormatOf<kDims>;
    using Element = typename Format::Element;
    constexpr int kWhole = rows_that_fit(Format::kStride * sizeof(Element));
    SHARED_DYNAMIC(dynamic);
    const bool whole = keys <= kWhole;
    const int tile = whole ? (keys + kChunk - 1) / kChunk * kChunk : kTile;
    Element* k_tile = reinterpret_cast<Element*>(dynamic);
    Element* v_tile = k_tile + tile * Format::kStride;
    const Head head(blocks, heads, queries, keys, channels);
    const int width = channels / heads;
    const bool aligned = channels % 4 == 0 && width % 4 == 0;
    const int rows = blockDim.x / kWarp * kRows;

    for (int part = head.block; part * rows < queries; part += blocks) {
        const OwnRows own = OwnRows::of(part, queries, channels, width);
        typename Format::Own query;
        own.read<Format>(query, q + head.rows_q);
        Gathered<Format, kDims> gathered;
        for (int from = 0; from < keys; from += tile) {
            const int count = min(tile, keys - from);
            const long long start = head.rows_k + static_cast<long long>(from) * channels;
            if (!whole || part == head.block) {
                __syncthreads();
                load_tile<Format, kDims>(k + start, count, tile, channels, width, aligned && is_aligned16(k), k_tile);
                load_tile<Format, kDims>(v + start, count, tile, channels, width, aligned && is_aligned16(v), v_tile);
                __syncthreads();
            }
            gathered.add(query, k_tile, v_tile, count, scale * kLog2E);
        }
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float normalizer = gathered.normalizer[half];
            normalizer += __shfl_xor_sync(kAllLanes, normalizer, 1);
            normalizer += __shfl_xor_sync(kAllLanes, normalizer, 2);
            own.write<kDims>(
                y + head.rows_q, gathered.sums, half, 1.0f / normalizer, aligned && is_aligned16(y), false);
            if (own.exists(half) && lane_column() == 0) {
                log_sum_exp[head.queries + own.low + half * 8] = (gathered.most[half] + log2f(normalizer)) * kLn2;
            }
        }
    }
}

// dq_i = Σ_j ds_ij·k_j/√d with ds_ij = p_ij·(dy_i·v_j − delta_i); keeps delta_i = dy_i·y_i.
template <template <int> class FormatOf, int kDims>
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
    using Format = FormatOf<kDims>;
    using Element = typename Format::Element;
    __shared__ __align__(16) Element k_tile[kTile * Format::kStride];
    __shared__ __align__(16) Element v_tile[kTile * Format::kStride];
    const Head head(blocks, heads, queries, keys, channels);
    const int width = channels / heads;
    const bool aligned = channels % 4 == 0 && width % 4 == 0;
    const OwnRows own = OwnRows::of(head.block, queries, channels, width);
    const float scale2 = scale * kLog2E;

    typename Format::Own query;
    typename Format::Own gradient;
    own.read<Format>(query, q + head.rows_q);
    own.read<Format>(gradient, dy + head.rows_q);
    float normalizer[2];
    float expected[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const long long row = head.queries + own.low + half * 8;
        normalizer[half] = own.exists(half) ? log_sum_exp[row] * kLog2E : 0.0f;
        expected[half] = own.dot(dy + head.rows_q, y + head.rows_q, half);
        if (own.exists(half) && lane_column() == 0) {
            delta[row] = expected[half];
        }
    }
    float sums[kDims / 8][4] = {};
    for (int from = 0; from < keys; from += kTile) {
        const int count = min(kTile, keys - from);
        const long long start = head.rows_k + static_cast<long long>(from) * channels;
        __syncthreads();
        load_tile<Format, kDims>(k + start, count, kTile, channels, width, aligned && is_aligned16(k), k_tile);
        load_tile<Format, kDims>(v + start, count, kTile, channels, width, aligned && is_aligned16(v), v_tile);
        __syncthreads();
        for (int chunk = 0; chunk < count; chunk += kChunk) {
            Scores score;
            Scores slope;
            clear(score);
            clear(slope);
            Format::score(score, query, k_tile + chunk * Format::kStride);
            Format::score(slope, gradient, v_tile + chunk * Format::kStride);
#pragma unroll
            for (int n = 0; n < kChunk / 8; n++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    const int key = chunk + n * 8 + lane_column() * 2 + i % 2;
                    const float probability = power_of_two(fmaf(score[n][i], scale2, -normalizer[i / 2]));
                    slope[n][i] = key < count ? probability * (slope[n][i] - expected[i / 2]) : 0.0f;
                }
            }
            Format::add(sums, slope, k_tile + chunk * Format::kStride);
        }
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
        own.write<kDims>(dq + head.rows_q, sums, half, scale, aligned && is_aligned16(dq), accumulate);
    }
}

// dv_j = Σ_i p_ij·dy_i and dk_j = Σ_i ds_ij·q_i/√d.
template <template <int> class FormatOf, int kDims>
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
    using Format = FormatOf<kDims>;
    using Element = typename Format::Element;
    __shared__ __align__(16) Element q_tile[kTile * Format::kStride];
    __shared__ __align__(16) Element dy_tile[kTile * Format::kStride];
    __shared__ float normalizer[kTile];
    __shared__ float expected[kTile];
    const Head head(blocks, heads, queries, keys, channels);
    const int width = channels / heads;
    const bool aligned = channels % 4 == 0 && width % 4 == 0;
    const OwnRows own = OwnRows::of(head.block, keys, channels, width);
    const float scale2 = scale * kLog2E;

    typename Format::Own key;
    typename Format::Own value;
    own.read<Format>(key, k + head.rows_k);
    own.read<Format>(value, v + head.rows_k);
    float key_sums[kDims / 8][4] = {};
    float value_sums[kDims / 8][4] = {};
    for (int from = 0; from < queries; from += kTile) {
        const int count = min(kTile, queries - from);
        const long long start = head.rows_q + static_cast<long long>(from) * channels;
        __syncthreads();
        load_tile<Format, kDims>(q + start, count, kTile, channels, width, aligned && is_aligned16(q), q_tile);
        load_tile<Format, kDims>(
            dy + start, count, kTile, channels, width, aligned && is_aligned16(dy), dy_tile);
        for (int i = threadIdx.x; i < kTile; i += blockDim.x) {
            normalizer[i] = i < count ? log_sum_exp[head.queries + from + i] * kLog2E : 0.0f;
            expected[i] = i < count ? delta[head.queries + from + i] : 0.0f;
        }
        __syncthreads();
        for (int chunk = 0; chunk < count; chunk += kChunk) {
            Scores weight;
            Scores slope;
            clear(weight);
            clear(slope);
            Format::score(weight, key, q_tile + chunk * Format::kStride);
            Format::score(slope, value, dy_tile + chunk * Format::kStride);
#pragma unroll
            for (int n = 0; n < kChunk / 8; n++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    const int query = chunk + n * 8 + lane_column() * 2 + i % 2;
                    const float probability = power_of_two(fmaf(weight[n][i], scale2, -normalizer[query]));
                    weight[n][i] = query < count ? probability : 0.0f;
                    slope[n][i] = query < count ? probability * (slope[n][i] - expected[query]) : 0.0f;
                }
            }
            Format::add(value_sums, weight, dy_tile + chunk * Format::kStride);
            Format::add(key_sums, slope, q_tile + chunk * Format::kStride);
        }
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
        own.write<kDims>(dk + head.rows_k, key_sums, half, scale, aligned && is_aligned16(dk), accumulate_k);
        own.write<kDims>(dv + head.rows_k, value_sums, half, 1.0f, aligned && is_aligned16(dv), accumulate_v);
    }
}

}  // namespace attention_fragments
