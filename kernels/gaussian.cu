// Draws and divergences of diagonal Gaussians, whose moments stand side by side along the channels: of [T, 2L] the
// first L channels are means μ, the others logarithms of variances v, held to [−30, 20].
//
// Blocks of 256 threads in one dimension: for the draws a thread per latent value, `count` in all, for the divergence a
// block per sample of `values`. Latents are small (196 values for an image of 28×28), so nothing is gained by vectors.
#include "sapwood.cuh"

namespace {

constexpr float kLeastLogVariance = -30.0f;
constexpr float kMostLogVariance = 20.0f;

__device__ __forceinline__ bool is_held(float v) { return v < kLeastLogVariance || v > kMostLogVariance; }

// NaN stays NaN.
__device__ __forceinline__ float held(float v) {
    return v < kLeastLogVariance ? kLeastLogVariance : v > kMostLogVariance ? kMostLogVariance : v;
}

// Where the mean of latent value i stands; its v stands `width` further on.
__device__ __forceinline__ long long mean_at(int i, int width) {
    return static_cast<long long>(i / width) * 2 * width + i % width;
}

}  // namespace

extern "C" __global__ void __launch_bounds__(256)
    gaussian_sample(const float* moments, const float* noise, int width, int count, float* z) {
    const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < count) {
        const long long at = mean_at(i, width);
        z[i] = moments[at] + expf(0.5f * held(moments[at + width])) * noise[i];
    }
}
EXPORT_KERNEL(gaussian_sample)

extern "C" __global__ void __launch_bounds__(256) gaussian_sample_backward(
    const float* moments,
    const float* noise,
    const float* dz,
    int width,
    int count,
    float* gradient,
    int accumulate) {
    const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < count) {
        const long long at = mean_at(i, width);
        const float v = moments[at + width];
        const float slope = is_held(v) ? 0.0f : 0.5f * dz[i] * noise[i] * expf(0.5f * v);
        gradient[at] = accumulate ? gradient[at] + dz[i] : dz[i];
        gradient[at + width] = accumulate ? gradient[at + width] + slope : slope;
    }
}
EXPORT_KERNEL(gaussian_sample_backward)

extern "C" __global__ void __launch_bounds__(256) gaussian_divergence(
    const float* moments, int width, int values, float gradient_scale, float* divergence, float* gradient) {
    __shared__ double scratch[kWarp];
    const long long start = static_cast<long long>(blockIdx.x) * 2 * values;
    double sum = 0.0;
    for (int i = threadIdx.x; i < values; i += blockDim.x) {
        const long long at = start + mean_at(i, width);
        const float mean = moments[at];
        const float raw = moments[at + width];
        const float v = held(raw);
        // e^v − 1 as one function: near v = 0 nothing would be left of the difference.
        const double excess = expm1(static_cast<double>(v));
        sum += static_cast<double>(mean) * mean + excess - v;
        gradient[at] = gradient_scale * mean;
        gradient[at + width] = is_held(raw) ? 0.0f : static_cast<float>(0.5 * gradient_scale * excess);
    }
    sum = block_sum(sum, scratch);
    if (threadIdx.x == 0) {
        divergence[blockIdx.x] = static_cast<float>(0.5 * sum);
    }
}
EXPORT_KERNEL(gaussian_divergence)
