// Sums over the tokens of each sample, and over the samples of each gradient row.
//
// reduce_tokens: out[b·stride + c] = α·Σ_t x[b, t, c], or +=. One block per sample and slice of 4·quads channels;
// `slices` blocks per sample. Every finished sum is that of one sample, in an order that depends on T and C alone.
//
// reduce_samples and reduce_samples_in_order: the gradients [B, C] of single samples to the rows that `Rows` describes.
// In order: ascending, as GradientRows says, one thread per coordinate. Otherwise: rows of so many samples that order
// is free; a block of 32 × 32 threads per row and 32 channels, a fixed order still.
//
// x is read once: 4·B·T·C bytes, so [512, 1024, 64] takes 28 us at least on an H200 that reads 4.8 TB/s. Nothing else
// counts.
#include "columns.cuh"

namespace {

// What this thread adds up: four independent loads in flight.
template <bool kWhole>
__device__ __forceinline__ float4 sum_tokens(const float* from, const Columns& own, int tokens) {
    const auto read = [&](int t) { return read_quad(from + own.at(t), kWhole, own.count); };
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    int t = own.token;
    for (; t + 3 * own.step < tokens; t += 4 * own.step) {
        const float4 a = read(t);
        const float4 b = read(t + own.step);
        const float4 c = read(t + 2 * own.step);
        const float4 d = read(t + 3 * own.step);
        sum = sum + ((a + b) + (c + d));
    }
    for (; t < tokens; t += own.step) {
        sum = sum + read(t);
    }
    return sum;
}

}  // namespace

extern "C" __global__ void __launch_bounds__(256) reduce_tokens(
    const float* __restrict__ x,
    int tokens,
    int channels,
    int quads,
    int slices,
    float alpha,
    float* __restrict__ out,
    long long stride,
    int accumulate) {
    __shared__ float parts[256 * 4];
    const int sample = blockIdx.x / slices;
    const int slice = blockIdx.x % slices * quads * 4;
    const int width = min(quads * 4, channels - slice);
    const Columns own(channels, slice, slice + width, quads);
    const float* from = x + static_cast<long long>(sample) * tokens * channels;
    const float4 sum = own.whole(x) ? sum_tokens<true>(from, own, tokens) : sum_tokens<false>(from, own, tokens);
    column_parts(sum, quads, parts);
    __syncthreads();

    for (int c = threadIdx.x; c < width; c += blockDim.x) {
        float total = 0.0f;
        for (int part = 0; part < column_part_count(quads); part++) {
            total += parts[part * quads * 4 + c];
        }
        float* target = out + sample * stride + slice + c;
        *target = accumulate ? *target + alpha * total : alpha * total;
    }
}
EXPORT_KERNEL(reduce_tokens)

extern "C" __global__ void __launch_bounds__(256)
reduce_samples_in_order(const float* __restrict__ gradients, int samples, int channels, Rows rows) {
    const long long item = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    const int row = item / channels;
    const int c = item % channels;
    const int first = row * rows.samples_per_row;
    if (first >= samples) {
        return;
    }
    float* target = rows.first + row * rows.stride + c;
    const int end = min(first + rows.samples_per_row, samples);
    const float* from = gradients + static_cast<long long>(first) * channels + c;
    float sum = rows.accumulate ? *target + *from : *from;
    for (int sample = first + 1; sample < end; sample++) {
        from += channels;
        sum += *from;
    }
    *target = sum;
}
EXPORT_KERNEL(reduce_samples_in_order)

extern "C" __global__ void __launch_bounds__(1024)
reduce_samples(const float* __restrict__ gradients, int samples, int channels, Rows rows) {
    __shared__ float parts[kWarp][kWarp];
    const int slices = (channels + kWarp - 1) / kWarp;
    const int row = blockIdx.x / slices;
    const int lane = threadIdx.x % kWarp;
    const int part = threadIdx.x / kWarp;
    const int c = blockIdx.x % slices * kWarp + lane;
    const int first = row * rows.samples_per_row;
    const int end = min(first + rows.samples_per_row, samples);

    float sum = 0.0f;
    if (c < channels) {
#pragma unroll 4
        for (int sample = first + part; sample < end; sample += kWarp) {
            sum += gradients[static_cast<long long>(sample) * channels + c];
        }
    }
    parts[part][lane] = sum;
    __syncthreads();
    if (part == 0 && c < channels) {
        float total = 0.0f;
        for (int other = 0; other < kWarp; other++) {
            total += parts[other][lane];
        }
        float* target = rows.first + row * rows.stride + c;
        *target = rows.accumulate ? *target + total : total;
    }
}
EXPORT_KERNEL(reduce_samples)
