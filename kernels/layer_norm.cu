// Layer normalisation over the channels of each token, its input gradient, and the gradient of its scale. (That of its
// shift is the bias gradient, in reduce.cu.)
//
// layer_norm_forward, layer_norm_backward_input: a warp per token, eight tokens per block of 256 threads; `tokens`
// counts those of all samples. A lane takes every 32nd quad of the channels. What is read again, twice forward and once
// backward, comes from the first-level cache: 8 tokens of 512 channels are 16 KB.
//
// layer_norm_scale_gradient: out[b·stride + c] = Σ_t dy[b, t, c]·x̂[b, t, c], or +=. As reduce_tokens: one block of 256
// threads per sample and slice of 4·quads channels, `slices` blocks per sample; `tokens` are those of a sample.
//
// Bytes per element, with the floor for [512, 256, 128] on an H200 that copies 4.1 TB/s:
//   forward                        8   33 us
//   backward (replacing, adding)   12, 16   49, 65 us
//   scale gradient                 8   28 us (reads only, 4.8 TB/s)
#include "columns.cuh"

namespace {

constexpr int kTokens = 8;  // per block

// Calls f(c, n) for this lane's quads: the first channel of each, and how many there are from there on.
template <class F>
__device__ __forceinline__ void for_quads(int channels, F f) {
    for (int c = threadIdx.x % kWarp * 4; c < channels; c += kWarp * 4) {
        f(c, channels - c);
    }
}

// A quad of which only `count` channels exist, at least one, with zeros for the others.
__device__ __forceinline__ float4 existing(float4 quad, int count) {
    return make_float4(
        quad.x, count > 1 ? quad.y : 0.0f, count > 2 ? quad.z : 0.0f, count > 3 ? quad.w : 0.0f);
}

__device__ __forceinline__ float sum_of(float4 quad) {
    return (quad.x + quad.y) + (quad.z + quad.w);
}

// The token of this warp; none beyond the last.
__device__ __forceinline__ int own_token() {
    return blockIdx.x * kTokens + threadIdx.x / kWarp;
}

// Whether a tensor [..., C] can be read and written in quads.
__device__ __forceinline__ bool in_quads(const float* tensor, int channels) {
    return channels % 4 == 0 && is_aligned16(tensor);
}

}  // namespace

extern "C" __global__ void __launch_bounds__(256) layer_norm_forward(
    const float* __restrict__ x,
    const float* __restrict__ gamma,
    const float* __restrict__ beta,
    float epsilon,
    float* __restrict__ statistics,
    float* __restrict__ y,
    int channels,
    int tokens) {
    const int token = own_token();
    if (token >= tokens) {
        return;
    }
    const bool x_whole = in_quads(x, channels);
    const bool y_whole = in_quads(y, channels);
    const bool gamma_whole = in_quads(gamma, channels);
    const bool beta_whole = in_quads(beta, channels);
    x += static_cast<long long>(token) * channels;
    y += static_cast<long long>(token) * channels;

    float sum = 0.0f;
    for_quads(channels, [&](int c, int n) { sum += sum_of(read_quad(x + c, x_whole, n)); });
    const float mean = warp_sum(sum) / channels;
    const auto centre = [=](float value) { return value - mean; };
    float squares = 0.0f;
    for_quads(channels, [&](int c, int n) {
        const float4 centred = existing(each(read_quad(x + c, x_whole, n), centre), n);
        squares += sum_of(each(centred, [](float value) { return value * value; }));
    });
    const float inverse = 1.0f / sqrtf(warp_sum(squares) / channels + epsilon);
    for_quads(channels, [&](int c, int n) {
        const float4 normalized
            = each(read_quad(x + c, x_whole, n), [=](float value) { return (value - mean) * inverse; });
        const float4 scaled = each(
            normalized, read_quad(gamma + c, gamma_whole, n), read_quad(beta + c, beta_whole, n),
            [](float value, float scale, float shift) { return fmaf(value, scale, shift); });
        write_quad(y + c, scaled, y_whole, n);
    });
    if (threadIdx.x % kWarp == 0) {
        statistics[2ll * token] = mean;
        statistics[2ll * token + 1] = inverse;
    }
}
EXPORT_KERNEL(layer_norm_forward)

// dx = (g − mean(g) − x̂·mean(g·x̂))/√(var + ε) over each token, with g = γ·dy.
extern "C" __global__ void __launch_bounds__(256) layer_norm_backward_input(
    const float* __restrict__ x,
    const float* __restrict__ gamma,
    const float* __restrict__ statistics,
    const float* __restrict__ dy,
    float* __restrict__ dx,
    int accumulate,
    int channels,
    int tokens) {
    const int token = own_token();
    if (token >= tokens) {
        return;
    }
    const bool x_whole = in_quads(x, channels);
    const bool gamma_whole = in_quads(gamma, channels);
    const bool dy_whole = in_quads(dy, channels);
    const bool dx_whole = in_quads(dx, channels);
    const float mean = statistics[2ll * token];
    const float inverse = statistics[2ll * token + 1];
    x += static_cast<long long>(token) * channels;
    dy += static_cast<long long>(token) * channels;
    dx += static_cast<long long>(token) * channels;
    const auto normalized = [&](int c, int n) {
        return each(read_quad(x + c, x_whole, n), [=](float value) { return (value - mean) * inverse; });
    };
    const auto gradient = [&](int c, int n) {
        return each(
            read_quad(gamma + c, gamma_whole, n), read_quad(dy + c, dy_whole, n),
            [](float a, float b) { return a * b; });
    };

    float sum = 0.0f;
    float product = 0.0f;
    for_quads(channels, [&](int c, int n) {
        const float4 g = gradient(c, n);
        sum += sum_of(g);
        // Where there is no channel g is 0, and x̂ finite wherever the token is.
        product += sum_of(each(g, normalized(c, n), [](float a, float b) { return a * b; }));
    });
    const float level = warp_sum(sum) / channels;
    const float slope = warp_sum(product) / channels;
    for_quads(channels, [&](int c, int n) {
        float4 result = each(
            gradient(c, n), normalized(c, n), [=](float g, float v) { return fmaf(-v, slope, g - level) * inverse; });
        if (accumulate) {
            result = read_quad(dx + c, dx_whole, n) + result;
        }
        write_quad(dx + c, result, dx_whole, n);
    });
}
EXPORT_KERNEL(layer_norm_backward_input)

extern "C" __global__ void __launch_bounds__(256) layer_norm_scale_gradient(
    const float* __restrict__ x,
    const float* __restrict__ statistics,
    const float* __restrict__ dy,
    int tokens,
    int channels,
    int quads,
    int slices,
    float* __restrict__ out,
    long long stride,
    int accumulate) {
    __shared__ float parts[256 * 4];
    const int sample = blockIdx.x / slices;
    const int slice = blockIdx.x % slices * quads * 4;
    const int width = min(quads * 4, channels - slice);
    const Columns own(channels, slice, slice + width, quads);
    const bool x_whole = own.whole(x);
    const bool dy_whole = own.whole(dy);
    const long long first = static_cast<long long>(sample) * tokens;
    x += first * channels;
    dy += first * channels;
    statistics += first * 2;
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
#pragma unroll 4
    for (int t = own.token; t < tokens; t += own.step) {
        const float mean = statistics[2 * t];
        const float inverse = statistics[2 * t + 1];
        sum = each(
            read_quad(dy + own.at(t), dy_whole, own.count), read_quad(x + own.at(t), x_whole, own.count), sum,
            [=](float gradient, float value, float total) {
                return fmaf(gradient, (value - mean) * inverse, total);
            });
    }
    column_parts(sum, quads, parts);
    __syncthreads();

    for (int c = threadIdx.x; c < width; c += blockDim.x) {
        float total = 0.0f;
        for (int part = 0; part < column_part_count(quads); part++) {
            total += parts[part * quads * 4 + c];
        }
        float* target = out + sample * stride + slice + c;
        *target = accumulate ? *target + total : total;
    }
}
EXPORT_KERNEL(layer_norm_scale_gradient)
