// Ops whose outputs depend on one position of each input, and copies along channels.
//
// Launch contract: blocks of 256 threads in one dimension, a block for every 2048 elements of the output. `count` is
// the number of elements of the output, below 2^31. Only where Backend allows it may an output be an input; each thread
// then reads all it needs before it writes.
//
// Bytes per element of the output, with the floor for 2^30 elements on an H200 that copies 4.3 TB/s:
//   silu, relu, broadcast_tokens (from few bytes)    8 or 4    2.0 or 1.0 ms
//   add, the backward ops, all that accumulate       12        3.0 ms (16 where a backward op accumulates)
//   concat, slice, upsample_2x                       8, 8, 5   2.0, 2.0, 1.3 ms
//   geglu, its backward op (per element of dy)       12, 20    3.0, 5.0 ms
#include "gelu.cuh"
#include "quad.cuh"
#include "silu.cuh"

namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kQuads = 2;  // per thread: two independent loads of each input in flight
constexpr unsigned kTile = kThreads * kQuads * 4;

// y[i] = value for the elements of this block: in quads, as quad(i) says for elements i … i + 3, or one(i) by one(i).
// A tile that the end of the tensor cuts is done one by one, with the same arithmetic.
template <class Quad, class One>
__device__ __forceinline__ void fill_tile(float* y, unsigned count, bool quads, Quad quad, One one) {
    const unsigned first = blockIdx.x * kTile;
    if (quads && first + kTile <= count) {
        float4 values[kQuads];
#pragma unroll
        for (unsigned k = 0; k < kQuads; k++) {
            values[k] = quad(first + (k * kThreads + threadIdx.x) * 4);
        }
#pragma unroll
        for (unsigned k = 0; k < kQuads; k++) {
            write_quad(y + first + (k * kThreads + threadIdx.x) * 4, values[k]);
        }
        return;
    }
#pragma unroll
    for (unsigned k = 0; k < kQuads * 4; k++) {
        const unsigned i = first + k * kThreads + threadIdx.x;
        if (i < count) {
            y[i] = one(i);
        }
    }
}

// y = f(x), or y += f(x).
template <class F>
__device__ __forceinline__ void map(const float* x, float* y, unsigned count, bool accumulate, F f) {
    const bool quads = is_aligned16(x) && is_aligned16(y);
    fill_tile(
        y,
        count,
        quads,
        [=](unsigned i) {
            const float4 value = each(read_quad(x + i), f);
            return accumulate ? read_quad(y + i) + value : value;
        },
        [=](unsigned i) { return accumulate ? y[i] + f(x[i]) : f(x[i]); });
}

// y = f(a, b), or y += f(a, b).
template <class F>
__device__ __forceinline__ void map(const float* a, const float* b, float* y, unsigned count, bool accumulate, F f) {
    const bool quads = is_aligned16(a) && is_aligned16(b) && is_aligned16(y);
    fill_tile(
        y,
        count,
        quads,
        [=](unsigned i) {
            const float4 value = each(read_quad(a + i), read_quad(b + i), f);
            return accumulate ? read_quad(y + i) + value : value;
        },
        [=](unsigned i) { return accumulate ? y[i] + f(a[i], b[i]) : f(a[i], b[i]); });
}

// Where element i of a tensor [B, T, C] finds its partner in a tensor [B, C].
__device__ __forceinline__ unsigned pooled(unsigned i, unsigned row_size, unsigned channels) {
    return i / row_size * channels + i % channels;
}

}  // namespace

extern "C" __global__ void __launch_bounds__(256)
elementwise_add(const float* a, const float* b, float* y, int count) {
    map(a, b, y, count, false, [](float left, float right) { return left + right; });
}
EXPORT_KERNEL(elementwise_add)

extern "C" __global__ void __launch_bounds__(256)
elementwise_scale(const float* x, float alpha, float* y, int accumulate, int count) {
    map(x, y, count, accumulate, [=](float value) { return alpha * value; });
}
EXPORT_KERNEL(elementwise_scale)

extern "C" __global__ void __launch_bounds__(256) elementwise_silu(const float* x, float* y, int count) {
    map(x, y, count, false, [](float value) { return silu(value); });
}
EXPORT_KERNEL(elementwise_silu)

extern "C" __global__ void __launch_bounds__(256)
elementwise_silu_backward(const float* x, const float* dy, float* dx, int accumulate, int count) {
    map(x, dy, dx, count, accumulate, [](float value, float gradient) { return gradient * silu_slope(value); });
}
EXPORT_KERNEL(elementwise_silu_backward)

// max(x, 0), which keeps NaN.
extern "C" __global__ void __launch_bounds__(256) elementwise_relu(const float* x, float* y, int count) {
    map(x, y, count, false, [](float value) { return value <= 0.0f ? 0.0f : value; });
}
EXPORT_KERNEL(elementwise_relu)

extern "C" __global__ void __launch_bounds__(256)
elementwise_relu_backward(const float* x, const float* dy, float* dx, int accumulate, int count) {
    map(x, dy, dx, count, accumulate, [](float value, float gradient) { return value > 0.0f ? gradient : 0.0f; });
}
EXPORT_KERNEL(elementwise_relu_backward)

extern "C" __global__ void __launch_bounds__(256)
elementwise_leaky_relu(const float* x, float slope, float* y, int count) {
    map(x, y, count, false, [=](float value) { return value > 0.0f ? value : slope * value; });
}
EXPORT_KERNEL(elementwise_leaky_relu)

extern "C" __global__ void __launch_bounds__(256) elementwise_leaky_relu_backward(
    const float* x, float slope, const float* dy, float* dx, int accumulate, int count) {
    map(x, dy, dx, count, accumulate, [=](float value, float gradient) {
        return value > 0.0f ? gradient : slope * gradient;
    });
}
EXPORT_KERNEL(elementwise_leaky_relu_backward)

extern "C" __global__ void __launch_bounds__(256) elementwise_tanh(const float* x, float* y, int count) {
    map(x, y, count, false, [](float value) { return tanhf(value); });
}
EXPORT_KERNEL(elementwise_tanh)

// From the output y of tanh.
extern "C" __global__ void __launch_bounds__(256)
elementwise_tanh_backward(const float* y, const float* dy, float* dx, int accumulate, int count) {
    map(y, dy, dx, count, accumulate, [](float value, float gradient) {
        return gradient * fmaf(-value, value, 1.0f);
    });
}
EXPORT_KERNEL(elementwise_tanh_backward)

// y = h·gelu(g) with (h | g) = x; width is that of a half.
extern "C" __global__ void __launch_bounds__(256)
elementwise_geglu(const float* __restrict__ x, float* __restrict__ y, int width, int count) {
    const auto gated = [](float value, float gate) { return value * gelu(gate); };
    const auto source = [=](unsigned i) { return x + (i + i / width * width); };
    fill_tile(
        y,
        count,
        width % 4 == 0 && is_aligned16(x) && is_aligned16(y),
        [=](unsigned i) { return each(read_quad(source(i)), read_quad(source(i) + width), gated); },
        [=](unsigned i) { return gated(source(i)[0], source(i)[width]); });
}
EXPORT_KERNEL(elementwise_geglu)

// Both halves of dx; count is that of dy.
extern "C" __global__ void __launch_bounds__(256) elementwise_geglu_backward(
    const float* __restrict__ x,
    const float* __restrict__ dy,
    float* __restrict__ dx,
    int accumulate,
    int width,
    int count) {
    const unsigned size = count;
    const auto of_value = [](float gradient, float gate) { return gradient * gelu(gate); };
    const auto of_gate = [](float gradient, float value, float gate) { return gradient * value * gelu_slope(gate); };
    const unsigned first = blockIdx.x * kTile;
    if (width % 4 == 0 && is_aligned16(x) && is_aligned16(dy) && is_aligned16(dx) && first + kTile <= size) {
#pragma unroll
        for (unsigned k = 0; k < kQuads; k++) {
            const unsigned i = first + (k * kThreads + threadIdx.x) * 4;
            const unsigned at = i + i / width * width;
            const float4 gradient = read_quad(dy + i);
            const float4 gate = read_quad(x + at + width);
            const float4 left = each(gradient, gate, of_value);
            const float4 right = each(gradient, read_quad(x + at), gate, of_gate);
            write_quad(dx + at, accumulate ? read_quad(dx + at) + left : left);
            write_quad(dx + at + width, accumulate ? read_quad(dx + at + width) + right : right);
        }
        return;
    }
#pragma unroll
    for (unsigned k = 0; k < kQuads * 4; k++) {
        const unsigned i = first + k * kThreads + threadIdx.x;
        if (i < size) {
            const unsigned at = i + i / width * width;
            const float left = of_value(dy[i], x[at + width]);
            const float right = of_gate(dy[i], x[at], x[at + width]);
            dx[at] = accumulate ? dx[at] + left : left;
            dx[at + width] = accumulate ? dx[at + width] + right : right;
        }
    }
}
EXPORT_KERNEL(elementwise_geglu_backward)

// y[b, t, c] = x[b, t, c] + v[b, c]; row_size is T·C.
extern "C" __global__ void __launch_bounds__(256)
elementwise_add_per_sample(const float* x, const float* v, float* y, int row_size, int channels, int count) {
    const bool quads = channels % 4 == 0 && is_aligned16(x) && is_aligned16(v) && is_aligned16(y);
    fill_tile(
        y,
        count,
        quads,
        [=](unsigned i) { return read_quad(x + i) + read_quad(v + pooled(i, row_size, channels)); },
        [=](unsigned i) { return x[i] + v[pooled(i, row_size, channels)]; });
}
EXPORT_KERNEL(elementwise_add_per_sample)

// dx[b, t, c] = α·dy[b, c]; row_size is T·C.
extern "C" __global__ void __launch_bounds__(256) elementwise_broadcast_tokens(
    const float* __restrict__ dy,
    float alpha,
    float* __restrict__ dx,
    int accumulate,
    int row_size,
    int channels,
    int count) {
    const bool quads = channels % 4 == 0 && is_aligned16(dy) && is_aligned16(dx);
    const auto scaled = [=](float gradient) { return alpha * gradient; };
    fill_tile(
        dx,
        count,
        quads,
        [=](unsigned i) {
            const float4 value = each(read_quad(dy + pooled(i, row_size, channels)), scaled);
            return accumulate ? read_quad(dx + i) + value : value;
        },
        [=](unsigned i) {
            const float value = scaled(dy[pooled(i, row_size, channels)]);
            return accumulate ? dx[i] + value : value;
        });
}
EXPORT_KERNEL(elementwise_broadcast_tokens)

// y = (a | b) along channels.
extern "C" __global__ void __launch_bounds__(256) elementwise_concat_channels(
    const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ y, int left, int right, int count) {
    const unsigned both = left + right;
    const auto source = [=](unsigned i) {
        const unsigned row = i / both;
        const unsigned c = i - row * both;
        return c < unsigned(left) ? a + (row * left + c) : b + (row * right + (c - left));
    };
    const bool quads = left % 4 == 0 && right % 4 == 0 && is_aligned16(a) && is_aligned16(b) && is_aligned16(y);
    fill_tile(
        y,
        count,
        quads,
        [=](unsigned i) { return read_quad(source(i)); },
        [=](unsigned i) { return *source(i); });
}
EXPORT_KERNEL(elementwise_concat_channels)

// y = channels [from, from + width) of x.
extern "C" __global__ void __launch_bounds__(256) elementwise_slice_channels(
    const float* __restrict__ x,
    int from,
    float* __restrict__ y,
    int accumulate,
    int channels,
    int width,
    int count) {
    const auto source = [=](unsigned i) {
        const unsigned row = i / width;
        return x + (row * channels + from + (i - row * width));
    };
    const bool quads = channels % 4 == 0 && from % 4 == 0 && width % 4 == 0 && is_aligned16(x) && is_aligned16(y);
    fill_tile(
        y,
        count,
        quads,
        [=](unsigned i) {
            const float4 value = read_quad(source(i));
            return accumulate ? read_quad(y + i) + value : value;
        },
        [=](unsigned i) { return accumulate ? y[i] + *source(i) : *source(i); });
}
EXPORT_KERNEL(elementwise_slice_channels)

// y [B, 2H, 2W, C] from x [B, H, W, C]: a row of y is a row of x with every pixel twice; row_size is W·C.
extern "C" __global__ void __launch_bounds__(256)
elementwise_upsample2x(const float* __restrict__ x, float* __restrict__ y, int row_size, int channels, int count) {
    const auto source = [=](unsigned i) {
        const unsigned y_row = i / (2u * row_size);
        const unsigned at = i - y_row * (2u * row_size);
        // Rows of all images count on: 2H is even, so row r of y comes from row r/2 of x in every image.
        return x + (y_row / 2 * row_size + at / (2u * channels) * channels + at % channels);
    };
    const bool quads = channels % 4 == 0 && is_aligned16(x) && is_aligned16(y);
    fill_tile(
        y,
        count,
        quads,
        [=](unsigned i) { return read_quad(source(i)); },
        [=](unsigned i) { return *source(i); });
}
EXPORT_KERNEL(elementwise_upsample2x)

// dx [B, H, W, C] from dy [B, 2H, 2W, C]: the sum of two neighbours in each of two rows; row_size is W·C.
extern "C" __global__ void __launch_bounds__(256) elementwise_upsample2x_backward(
    const float* __restrict__ dy, float* __restrict__ dx, int accumulate, int row_size, int channels, int count) {
    const auto source = [=](unsigned i) {
        const unsigned row = i / row_size;
        const unsigned at = i - row * row_size;
        return dy + (row * 4u * row_size + at / channels * 2u * channels + at % channels);
    };
    const bool quads = channels % 4 == 0 && is_aligned16(dy) && is_aligned16(dx);
    fill_tile(
        dx,
        count,
        quads,
        [=](unsigned i) {
            const float* above = source(i);
            const float* below = above + 2u * row_size;
            const float4 sum = (read_quad(above) + read_quad(above + channels))
                + (read_quad(below) + read_quad(below + channels));
            return accumulate ? read_quad(dx + i) + sum : sum;
        },
        [=](unsigned i) {
            const float* above = source(i);
            const float* below = above + 2u * row_size;
            const float sum = (above[0] + above[channels]) + (below[0] + below[channels]);
            return accumulate ? dx[i] + sum : sum;
        });
}
EXPORT_KERNEL(elementwise_upsample2x_backward)
