// Group normalisation with its SiLU, its input gradient and its parameter gradients.
//
// x, y, dy, dx are [B, T, C]; a group is C/groups neighbouring channels, over all tokens of a sample. In memory a
// token's share of a group may be as little as 4 bytes, so a block takes a slice of channels, several whole groups of
// one sample: wide enough for whole sectors, narrow enough that the block's part of the sample fits in shared memory.
// So HBM is read once, and all of a block's loads are in flight at once, without a register. A thread reads what it
// has copied itself and needs no barrier for that. Blocks in other phases keep the memory busy while this one computes.
//
// Samples too large for that are read again by the _streaming kernels, which keep nothing.
//
// Mean and variance come from two passes over what is kept; sums run in fp32 within a thread and a warp, in fp64 from
// there.
//
// Launch contract: `slices` blocks per sample of at most 512 threads, of `slice` channels each; slice ≤ 4·quads, quads
// a power of two ≤ blockDim.x, a multiple of 32; at most 256 groups per slice. Dynamic shared memory: the slice of each
// tensor (not for _streaming), in quads [T, ceil(slice / 4)], and then the parts of column sums (see columns.cuh), once
// in the forward kernels and twice in the backward ones. `scale` is one over the values of a group.
//
// Bytes per element, with the floor for [512, 1024, 64] on an H200 that copies 4.1 TB/s:
//   forward                                   8   65 us
//   backward (replacing, accumulating)   12, 16   98, 131 us; parameter gradients included where they are wanted
//   parameter gradients alone                 8   56 us (reads only, 4.8 TB/s)
// With the SiLU each takes some 15 to 25 instructions per element, by count of the source; 80 fit into the time of 12
// bytes.
//
// Measured on an H200 (2026-11-26, plain copies 3.92 TB/s), 8 groups, with SiLU, backward with parameter gradients:
//   [B, T, C]            forward (slice, threads)           backward (slice, threads)
//   [512, 1024,  64]     78.9 us  3.40 TB/s  (16, 256)     150.1 us  2.68 TB/s  ( 8, 256)
//   [512, 1024, 128]    148.9 us  3.61 TB/s  (16, 256)     304.9 us  2.64 TB/s  (16, 512)
//   [256, 1024, 192]    126.3 us  3.19 TB/s  (24, 256)     231.2 us  2.61 TB/s  (24, 512)
//   [512,  256, 128]     38.7 us  3.47 TB/s  (16, 128)      58.6 us  3.43 TB/s  (16, 128)
//   [512,  256, 256]     72.0 us  3.73 TB/s  (32, 128)     109.8 us  3.67 TB/s  (32, 256)
//   [512,   64, 256]     22.4 us  3.00 TB/s  (64, 128)      35.1 us  2.86 TB/s  (64, 128)
// Without the SiLU up to 4 % less forward, 2 to 15 % backward. Tried and slower:
//   waiting for the copies in 4 portions    forward C = 64 79.8 us, backward [512, 256, 256] 134.0 us; in 8, 81.4 us
//   keeping x, reading dy twice             backward C = 128 341.4 us, C = 192 330.5 us
//   256 threads for slices of 16 KB         forward [512, 64, 256] 40.1 us against 25.3, both in portions
//   one block of 256 threads, not 512       backward C = 128 312.8 us, C = 192 246.5 us
//   loops unrolled 4 times, streaming stores    within 3 % either way, in portions
#include "columns.cuh"
#include "silu.cuh"
#include "tensor_core.cuh"

namespace {

constexpr int kMaxGroups = 256;  // per slice

// How [T, C] is cut into groups and slices.
struct Layout {
    int tokens;
    int channels;
    int groups;
    int slice;   // channels per slice
    int slices;  // per sample
    int quads;   // columns of threads

    __device__ int group_width() const {
        return channels / groups;
    }
};

// The slice of channels that a block works on.
struct Slice {
    int sample;
    int first;   // first channel
    int width;   // channels
    int group;   // first group
    int groups;  // how many

    __device__ explicit Slice(const Layout& layout)
        : sample(blockIdx.x / layout.slices),
          first(blockIdx.x % layout.slices * layout.slice),
          width(min(layout.slice, layout.channels - first)),
          group(first / layout.group_width()),
          groups(width / layout.group_width()) {}
};

// This thread's quads of one tensor in shared memory, [T, quads of the slice].
struct Slots {
    float4* own;
    int step;  // from one of the thread's tokens to the next

    __device__ Slots(float4* all, int quads, const Columns& columns)
        : own(all + columns.token * quads + (threadIdx.x % columns.quads)), step(columns.step * quads) {}

    __device__ float4& operator[](int j) const {
        return own[j * step];
    }
};

// Calls f(j, t) for this thread's tokens t, the j-th of them.
template <class F>
__device__ __forceinline__ void for_tokens(const Columns& own, int tokens, F f) {
    const int mine = own.count > 0 && own.token < tokens ? (tokens - own.token - 1) / own.step + 1 : 0;
#pragma unroll 2
    for (int j = 0; j < mine; j++) {
        f(j, own.token + j * own.step);
    }
}

// Starts to bring this thread's quads of a sample to its slots.
__device__ __forceinline__ void
fetch(const float* sample, bool whole, const Columns& own, int tokens, const Slots& slots) {
    if (whole) {
        for_tokens(own, tokens, [&](int j, int t) { copy_async<false>(&slots[j], sample + own.at(t), sample); });
    } else {
        for_tokens(own, tokens, [&](int j, int t) { slots[j] = read_quad(sample + own.at(t), false, own.count); });
    }
}

// For each group of the slice and each of `sets` sets of column parts, which follow one another, the sum over the
// group's channels, each times its channel's weight: one warp after the other takes one of these. Lane 0 calls
// finish(set, group of the slice, sum).
template <class Weight, class Finish>
__device__ __forceinline__ void for_group_sums(
    const float* parts, int sets, int quads, int groups, int group_width, Weight weight, Finish finish) {
    const int lane = threadIdx.x % kWarp;
    const int part_count = column_part_count(quads);
    const int items = part_count * group_width;
    for (int task = threadIdx.x / kWarp; task < sets * groups; task += blockDim.x / kWarp) {
        const int set = task / groups;
        const int group = task - set * groups;
        const float* of_set = parts + set * part_count * quads * 4 + group * group_width;
        double sum = 0.0;
        for (int item = lane; item < items; item += kWarp) {
            const int part = item / group_width;
            const int c = item - part * group_width;
            sum += static_cast<double>(of_set[part * quads * 4 + c]) * weight(group * group_width + c);
        }
        sum = warp_sum(sum);
        if (lane == 0) {
            finish(set, group, sum);
        }
    }
}

// The groups, counted within the slice, of this thread's channels.
struct OwnGroups {
    int of[4];

    __device__ OwnGroups(const Columns& own, const Slice& slice, int group_width) {
#pragma unroll
        for (int k = 0; k < 4; k++) {
            of[k] = k < own.count ? (own.first - slice.first + k) / group_width : 0;
        }
    }

    // What `per_group`, `stride` apart, holds for each of the channels.
    __device__ float4 pick(const float* per_group, int stride) const {
        return make_float4(
            per_group[of[0] * stride], per_group[of[1] * stride], per_group[of[2] * stride],
            per_group[of[3] * stride]);
    }
};

// y = silu or identity of γ·(x − mean)/√(var + ε) + β; leaves mean and 1/√(var + ε) in `statistics`. kKept: x waits in
// shared memory.
template <bool kKept, bool kSilu>
__device__ __forceinline__ void forward(
    const float* __restrict__ x,
    const float* __restrict__ gamma,
    const float* __restrict__ beta,
    const Layout& layout,
    double scale,
    float epsilon,
    float* __restrict__ statistics,
    float* __restrict__ y) {
    SHARED_DYNAMIC(dynamic);
    __shared__ float mean_of[kMaxGroups];
    __shared__ float inverse_of[kMaxGroups];
    const int tokens = layout.tokens;
    const int quads = layout.quads;
    const int group_width = layout.group_width();
    const Slice slice(layout);
    const Columns own(layout.channels, slice.first, slice.first + slice.width, quads);
    const bool x_whole = own.whole(x);
    const bool y_whole = own.whole(y);
    const long long start = static_cast<long long>(slice.sample) * tokens * layout.channels;
    x += start;
    y += start;
    statistics += (static_cast<long long>(slice.sample) * layout.groups + slice.group) * 2;

    const int row = kKept ? (layout.slice + 3) / 4 : 0;
    const Slots kept(reinterpret_cast<float4*>(dynamic), row, own);
    float* parts = reinterpret_cast<float*>(dynamic) + tokens * row * 4;
    const auto value = [&](int j, int t) { return kKept ? kept[j] : read_quad(x + own.at(t), x_whole, own.count); };
    if (kKept) {
        fetch(x, x_whole, own, tokens, kept);
        close_copies();
    }
    const OwnGroups groups(own, slice, group_width);
    const float4 own_gamma = read_quad(gamma + own.first, false, own.count);
    const float4 own_beta = read_quad(beta + own.first, false, own.count);
    const auto unweighted = [](int) { return 1.0; };

    if (kKept) {
        wait_for_copies<0>();
    }
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    for_tokens(own, tokens, [&](int j, int t) { sum = sum + value(j, t); });
    column_parts(sum, quads, parts);
    __syncthreads();
    for_group_sums(parts, 1, quads, slice.groups, group_width, unweighted, [&](int, int group, double total) {
        mean_of[group] = static_cast<float>(total * scale);
        statistics[group * 2] = mean_of[group];
    });
    __syncthreads();

    const float4 mean = groups.pick(mean_of, 1);
    float4 squares = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    for_tokens(own, tokens, [&](int j, int t) {
        squares = each(value(j, t), mean, squares, [](float v, float m, float s) { return fmaf(v - m, v - m, s); });
    });
    column_parts(squares, quads, parts);
    __syncthreads();
    for_group_sums(parts, 1, quads, slice.groups, group_width, unweighted, [&](int, int group, double total) {
        inverse_of[group] = 1.0f / sqrtf(static_cast<float>(total * scale + epsilon));
        statistics[group * 2 + 1] = inverse_of[group];
    });
    __syncthreads();

    const float4 factor = each(groups.pick(inverse_of, 1), own_gamma, [](float i, float g) { return i * g; });
    for_tokens(own, tokens, [&](int j, int t) {
        const float4 centred = each(value(j, t), mean, [](float v, float m) { return v - m; });
        float4 z = each(centred, factor, own_beta, [](float v, float f, float s) { return fmaf(v, f, s); });
        if (kSilu) {
            z = each(z, [](float v) { return quick_silu(v); });
        }
        write_quad(y + own.at(t), z, y_whole, own.count);
    });
}

// What the backward kernels know of this thread's channels.
struct Affine {
    float4 mean;
    float4 inverse;
    float4 factor;  // γ/√(var + ε)
    float4 beta;

    // `statistics` are those of the sample.
    __device__ Affine(
        const float* statistics, const float* gamma, const float* beta_from, const Columns& own, int group_width) {
        const auto statistic = [&](int k, int which) {
            return k < own.count ? statistics[(own.first + k) / group_width * 2 + which] : 0.0f;
        };
        mean = make_float4(statistic(0, 0), statistic(1, 0), statistic(2, 0), statistic(3, 0));
        inverse = make_float4(statistic(0, 1), statistic(1, 1), statistic(2, 1), statistic(3, 1));
        const float4 own_gamma = read_quad(gamma + own.first, false, own.count);
        factor = each(inverse, own_gamma, [](float i, float g) { return i * g; });
        beta = read_quad(beta_from + own.first, false, own.count);
    }

    __device__ __forceinline__ float4 centred(float4 x) const {
        return each(x, mean, [](float v, float m) { return v - m; });
    }

    // dL/dz from x − mean and dL/dy.
    template <bool kSilu>
    __device__ __forceinline__ float4 before_silu(float4 centred, float4 dy) const {
        if (!kSilu) {
            return dy;
        }
        const float4 z = each(centred, factor, beta, [](float v, float f, float b) { return fmaf(v, f, b); });
        return each(dy, z, [](float gradient, float at) { return gradient * quick_silu_slope(at); });
    }
};

// The two sums over this thread's tokens that are the gradients of γ and β.
struct GradientSums {
    float4 gamma = make_float4(0.0f, 0.0f, 0.0f, 0.0f);  // dL/dz·(x − mean), of which the gradient is a multiple
    float4 beta = make_float4(0.0f, 0.0f, 0.0f, 0.0f);   // dL/dz

    __device__ __forceinline__ void add(float4 dz, float4 centred) {
        gamma = each(dz, centred, gamma, [](float a, float b, float s) { return fmaf(a, b, s); });
        beta = beta + dz;
    }

    // Leaves the column parts of both, those of β first.
    __device__ __forceinline__ void store(float4 inverse, int quads, float* beta_parts, float* gamma_parts) const {
        column_parts(beta, quads, beta_parts);
        column_parts(each(gamma, inverse, [](float g, float i) { return g * i; }), quads, gamma_parts);
    }
};

// Where the parameter gradients of single samples go: rows `stride` apart, or nowhere.
struct Sums {
    float* first;
    long long stride;
    int accumulate;

    // The sums of the columns' parts over the slice.
    __device__ __forceinline__ void store(const float* parts, const Slice& slice, int quads) const {
        if (first == nullptr) {
            return;
        }
        for (int c = threadIdx.x; c < slice.width; c += blockDim.x) {
            float total = 0.0f;
            for (int part = 0; part < column_part_count(quads); part++) {
                total += parts[part * quads * 4 + c];
            }
            float* target = first + slice.sample * stride + slice.first + c;
            *target = accumulate ? *target + total : total;
        }
    }
};

// dx = (g − mean(g) − x̂·mean(g·x̂))/√(var + ε) over each group, with g = γ·dL/dz. The sums of dL/dz and dL/dz·x̂ over
// the tokens, of which the means are made, are the gradients of β and γ. kKept: x and dy wait in shared memory, where
// dL/dz replaces dy.
template <bool kKept, bool kSilu>
__device__ __forceinline__ void backward(
    const float* __restrict__ x,
    const float* __restrict__ gamma,
    const float* __restrict__ beta,
    const Layout& layout,
    double scale,
    const float* __restrict__ statistics,
    const float* __restrict__ dy,
    float* __restrict__ dx,
    int accumulate,
    const Sums& gamma_sums,
    const Sums& beta_sums) {
    SHARED_DYNAMIC(dynamic);
    __shared__ float means_of[2 * kMaxGroups];  // mean(g) and mean(g·x̂)
    const int tokens = layout.tokens;
    const int quads = layout.quads;
    const int group_width = layout.group_width();
    const Slice slice(layout);
    const Columns own(layout.channels, slice.first, slice.first + slice.width, quads);
    const bool x_whole = own.whole(x);
    const bool dy_whole = own.whole(dy);
    const bool dx_whole = own.whole(dx);
    const long long start = static_cast<long long>(slice.sample) * tokens * layout.channels;
    x += start;
    dy += start;
    dx += start;

    const int row = kKept ? (layout.slice + 3) / 4 : 0;
    const Slots kept_x(reinterpret_cast<float4*>(dynamic), row, own);
    const Slots kept_dz(reinterpret_cast<float4*>(dynamic) + tokens * row, row, own);
    float* parts = reinterpret_cast<float*>(dynamic) + 2 * tokens * row * 4;
    float* gamma_parts = parts + column_part_count(quads) * quads * 4;
    if (kKept) {
        fetch(x, x_whole, own, tokens, kept_x);
        fetch(dy, dy_whole, own, tokens, kept_dz);
        close_copies();
    }
    const Affine affine(
        statistics + static_cast<long long>(slice.sample) * layout.groups * 2, gamma, beta, own, group_width);
    const auto value = [&](int j, int t) { return kKept ? kept_x[j] : read_quad(x + own.at(t), x_whole, own.count); };
    const auto gradient = [&](int j, int t) {
        return kKept ? kept_dz[j] : read_quad(dy + own.at(t), dy_whole, own.count);
    };

    if (kKept) {
        wait_for_copies<0>();
    }
    GradientSums sums;
    for_tokens(own, tokens, [&](int j, int t) {
        const float4 centred = affine.centred(value(j, t));
        const float4 dz = affine.before_silu<kSilu>(centred, gradient(j, t));
        if (kKept && kSilu) {
            kept_dz[j] = dz;
        }
        sums.add(dz, centred);
    });
    sums.store(affine.inverse, quads, parts, gamma_parts);
    __syncthreads();
    const auto by_gamma = [&](int c) { return static_cast<double>(gamma[slice.first + c]); };
    for_group_sums(parts, 2, quads, slice.groups, group_width, by_gamma, [&](int set, int group, double total) {
        means_of[group * 2 + set] = static_cast<float>(total * scale);
    });
    const OwnGroups groups(own, slice, group_width);
    __syncthreads();

    const float4 mean = each(groups.pick(means_of, 2), affine.inverse, [](float m, float i) { return m * i; });
    const float4 slope
        = each(groups.pick(means_of + 1, 2), affine.inverse, [](float s, float i) { return s * i * i; });
    for_tokens(own, tokens, [&](int j, int t) {
        const float4 centred = affine.centred(value(j, t));
        const float4 dz = kKept ? kept_dz[j] : affine.before_silu<kSilu>(centred, gradient(j, t));
        const float4 level = each(dz, affine.factor, mean, [](float d, float f, float m) { return fmaf(d, f, -m); });
        float4 result = each(level, centred, slope, [](float a, float n, float s) { return fmaf(-n, s, a); });
        float* target = dx + own.at(t);
        if (accumulate) {
            result = read_quad(target, dx_whole, own.count) + result;
        }
        write_quad(target, result, dx_whole, own.count);
    });
    gamma_sums.store(gamma_parts, slice, quads);
    beta_sums.store(parts, slice, quads);
}

}  // namespace

#define FORWARD_KERNEL(name, kept)                                                                             \
    extern "C" __global__ void __launch_bounds__(512) name(                                                    \
        const float* x,                                                                                        \
        const float* gamma,                                                                                    \
        const float* beta,                                                                                     \
        int tokens,                                                                                            \
        int channels,                                                                                          \
        int groups,                                                                                            \
        int slice,                                                                                             \
        int slices,                                                                                            \
        int quads,                                                                                             \
        double scale,                                                                                          \
        float epsilon,                                                                                         \
        int with_silu,                                                                                         \
        float* statistics,                                                                                     \
        float* y) {                                                                                            \
        const Layout layout{tokens, channels, groups, slice, slices, quads};                                   \
        if (with_silu) {                                                                                       \
            forward<kept, true>(x, gamma, beta, layout, scale, epsilon, statistics, y);                        \
        } else {                                                                                               \
            forward<kept, false>(x, gamma, beta, layout, scale, epsilon, statistics, y);                       \
        }                                                                                                      \
    }                                                                                                          \
    EXPORT_KERNEL(name)

FORWARD_KERNEL(normalization_forward, true)
FORWARD_KERNEL(normalization_forward_streaming, false)

// The sums of β and γ may be null.
#define BACKWARD_KERNEL(name, kept)                                                                            \
    extern "C" __global__ void __launch_bounds__(512) name(                                                    \
        const float* x,                                                                                        \
        const float* gamma,                                                                                    \
        const float* beta,                                                                                     \
        int tokens,                                                                                            \
        int channels,                                                                                          \
        int groups,                                                                                            \
        int slice,                                                                                             \
        int slices,                                                                                            \
        int quads,                                                                                             \
        double scale,                                                                                          \
        int with_silu,                                                                                         \
        const float* statistics,                                                                               \
        const float* dy,                                                                                       \
        float* dx,                                                                                             \
        int accumulate,                                                                                        \
        float* gamma_sums,                                                                                     \
        long long gamma_stride,                                                                                \
        int gamma_accumulate,                                                                                  \
        float* beta_sums,                                                                                      \
        long long beta_stride,                                                                                 \
        int beta_accumulate) {                                                                                 \
        const Layout layout{tokens, channels, groups, slice, slices, quads};                                   \
        const Sums of_gamma{gamma_sums, gamma_stride, gamma_accumulate};                                       \
        const Sums of_beta{beta_sums, beta_stride, beta_accumulate};                                           \
        if (with_silu) {                                                                                       \
            backward<kept, true>(                                                                              \
                x, gamma, beta, layout, scale, statistics, dy, dx, accumulate, of_gamma, of_beta);             \
        } else {                                                                                               \
            backward<kept, false>(                                                                             \
                x, gamma, beta, layout, scale, statistics, dy, dx, accumulate, of_gamma, of_beta);             \
        }                                                                                                      \
    }                                                                                                          \
    EXPORT_KERNEL(name)

BACKWARD_KERNEL(normalization_backward, true)
BACKWARD_KERNEL(normalization_backward_streaming, false)

namespace {

template <bool kWhole, bool kSilu>
__device__ __forceinline__ void sum_gradients(
    const float* x, const float* dy, const Affine& affine, const Columns& own, int tokens, GradientSums& sums) {
    for_tokens(own, tokens, [&](int, int t) {
        const float4 centred = affine.centred(read_quad(x + own.at(t), kWhole, own.count));
        sums.add(affine.before_silu<kSilu>(centred, read_quad(dy + own.at(t), kWhole, own.count)), centred);
    });
}

}  // namespace

// dγ[b, c] = Σ_t dL/dz·x̂ and dβ[b, c] = Σ_t dL/dz of every sample; either may be null. 256 threads and slices of
// 4·quads channels, quads ≤ 32; they need not hold whole groups here.
extern "C" __global__ void __launch_bounds__(256, 4) normalization_parameter_gradient(
    const float* __restrict__ x,
    const float* __restrict__ gamma,
    const float* __restrict__ beta,
    int tokens,
    int channels,
    int groups,
    int slices,
    int quads,
    int with_silu,
    const float* __restrict__ statistics,
    const float* __restrict__ dy,
    float* gamma_sums,
    long long gamma_stride,
    int gamma_accumulate,
    float* beta_sums,
    long long beta_stride,
    int beta_accumulate) {
    __shared__ float gamma_parts[256 * 4];
    __shared__ float beta_parts[256 * 4];
    const Layout layout{tokens, channels, groups, quads * 4, slices, quads};
    const Slice slice(layout);
    const Columns own(channels, slice.first, slice.first + slice.width, quads);
    const long long start = static_cast<long long>(slice.sample) * tokens * channels;
    const Affine affine(
        statistics + static_cast<long long>(slice.sample) * groups * 2, gamma, beta, own, layout.group_width());
    x += start;
    dy += start;
    GradientSums sums;
    const bool whole = own.whole(x) && own.whole(dy);
    if (whole && with_silu) {
        sum_gradients<true, true>(x, dy, affine, own, tokens, sums);
    } else if (whole) {
        sum_gradients<true, false>(x, dy, affine, own, tokens, sums);
    } else if (with_silu) {
        sum_gradients<false, true>(x, dy, affine, own, tokens, sums);
    } else {
        sum_gradients<false, false>(x, dy, affine, own, tokens, sums);
    }
    sums.store(affine.inverse, quads, beta_parts, gamma_parts);
    __syncthreads();
    Sums{gamma_sums, gamma_stride, gamma_accumulate}.store(gamma_parts, slice, quads);
    Sums{beta_sums, beta_stride, beta_accumulate}.store(beta_parts, slice, quads);
}
EXPORT_KERNEL(normalization_parameter_gradient)
