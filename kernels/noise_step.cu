// What follows the exact sum of clipped gradients, in one pass over the P coordinates: Gaussian noise on the sum, the
// mean, the optimizer, the averaged weights, and the sum zeroed for the next batch.
//
// Coordinate j of the noise comes from ChaCha20 block j / 8 and Box-Muller in fp64, so it depends on the key stream and
// on j alone; every operation is correctly rounded and of a fixed order, so the bits are those of the host:
//   unit = sums[j] + rint(deviation * z_j),  mean = float(unit * per_unit),  Adam or SGD,  average
// The key is a launch argument: it lives in the constant bank of this launch and is never stored.
//
// Launch: 256 threads, one block per 2048 coordinates. In the first half a thread makes one ChaCha20 block, which is
// eight consecutive coordinates; these pass through shared memory, so that in the second half neighbouring lanes handle
// neighbouring coordinates and every access to memory is whole.
//
// Bytes per coordinate: reads sum 8, weight, two moments, average 16; writes the same: 48. P = 4.6 M: 221 MB, 51 µs at
// 4.3 TB/s. Work per coordinate: 120 integer operations of ChaCha20 (40 each of addition, exclusive or and rotation),
// about 40 fp64 and 40 fp32. An SM of an H200 has 64 lanes for logic and shifts, 64 for fp64, and additions can go to
// the multipliers' 64: 1.3 to 2.3 clocks of integers, 0.6 of fp64, about 2 of issue slots, against 2.6 clocks for 48
// bytes at 4.3 TB/s. Memory is the limit, but not by much: what keeps it so is that warps are in different halves.

#include "box_muller.cuh"
#include "chacha20.cuh"
#include "optimizer.cuh"
#include "sapwood.cuh"

namespace {

constexpr int kThreads = 256;
constexpr int kGroup = 8;                  // coordinates of a ChaCha20 block
constexpr int kSpread = kGroup + 1;        // their distance in shared memory: lanes then meet different banks
constexpr int kBlock = kThreads * kGroup;  // coordinates of a block
constexpr int kAtOnce = 4;                 // coordinates that a thread loads before it handles the first

// The vectors of P coordinates. An optimizer without moments has none.
struct Vectors {
    float* weights;
    float* first_moment;
    float* second_moment;
    float* averaged;
};

struct AdamOnVectors {
    Adam adam;
    double average_share;

    struct State {
        float weight, first, second, average;
    };

    __device__ __forceinline__ State load(const Vectors& at, int j) const {
        return {at.weights[j], at.first_moment[j], at.second_moment[j], at.averaged[j]};
    }
    __device__ __forceinline__ void step(const Vectors& at, int j, State state, float mean) const {
        const float weight = adam.step(j, mean, state.weight, state.first, state.second);
        at.weights[j] = weight;
        at.first_moment[j] = state.first;
        at.second_moment[j] = state.second;
        at.averaged[j] = averaged(state.average, weight, average_share);
    }
};

struct SgdOnVectors {
    Rates rates;
    double average_share;

    struct State {
        float weight, average;
    };

    __device__ __forceinline__ State load(const Vectors& at, int j) const {
        return {at.weights[j], at.averaged[j]};
    }
    __device__ __forceinline__ void step(const Vectors& at, int j, State state, float mean) const {
        const float weight =
            __fsub_rn(__fmul_rn(rates.keep_of(j), state.weight), __fmul_rn(rates.step_size_of(j), mean));
        at.weights[j] = weight;
        at.averaged[j] = averaged(state.average, weight, average_share);
    }
};

// Noises and trains on the coordinates of this block; writes the sum of the squares of their noised sums, in units.
template <class Optimizer>
__device__ __forceinline__ void release(
    int size, long long* sums, const Vectors& vectors, double* partials, const ChaCha20& stream, double deviation,
    double per_unit, const Optimizer& optimizer) {
    __shared__ long long noise[kThreads * kSpread];
    __shared__ double scratch[kWarp];
    const int group = blockIdx.x * kThreads + threadIdx.x;
    if (static_cast<long long>(group) * kGroup < size) {
        unsigned long long words[kGroup];
        chacha20_block(stream, group, words);
#pragma unroll
        for (int k = 0; k < kGroup; k += 2) {
            double first;
            double second;
            box_muller(words[k], words[k + 1], first, second);
            noise[threadIdx.x * kSpread + k] = __double2ll_rn(__dmul_rn(deviation, first));
            noise[threadIdx.x * kSpread + k + 1] = __double2ll_rn(__dmul_rn(deviation, second));
        }
    }
    __syncwarp();
    // From here on a warp handles the coordinates whose noise its lanes made, neighbours side by side.
    const int lane = threadIdx.x % kWarp;
    const int own = threadIdx.x - lane;
    const long long start = static_cast<long long>(blockIdx.x) * kBlock + own * kGroup;
    double squares = 0;
#pragma unroll
    for (int part = 0; part < kGroup; part += kAtOnce) {
        long long units[kAtOnce];
        typename Optimizer::State states[kAtOnce] = {};
#pragma unroll
        for (int i = 0; i < kAtOnce; ++i) {
            const long long j = start + (part + i) * kWarp + lane;
            units[i] = 0;
            if (j < size) {
                units[i] = sums[j];
                states[i] = optimizer.load(vectors, static_cast<int>(j));
            }
        }
#pragma unroll
        for (int i = 0; i < kAtOnce; ++i) {
            const int within = (part + i) * kWarp + lane;
            const long long j = start + within;
            if (j < size) {
                units[i] += noise[(own + within / kGroup) * kSpread + within % kGroup];
                sums[j] = 0;
                const double unit = __ll2double_rn(units[i]);
                squares = __fma_rn(unit, unit, squares);
                optimizer.step(
                    vectors, static_cast<int>(j), states[i], __double2float_rn(__dmul_rn(unit, per_unit)));
            }
        }
    }
    squares = block_sum(squares, scratch);
    if (threadIdx.x == 0) {
        partials[blockIdx.x] = squares;
    }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kThreads, 4) noise_step_adam(
    int size, long long* sums, float* weights, float* first_moment, float* second_moment, float* averages,
    double* partials, unsigned k0, unsigned k1, unsigned k2, unsigned k3, unsigned k4, unsigned k5, unsigned k6,
    unsigned k7, unsigned n0, unsigned n1, unsigned n2, double deviation, double per_unit, float beta1, float beta2,
    float epsilon, float correction, float step_size, float keep, float own_step_size, float own_keep, int from, int to,
    double average_share) {
    const Rates rates = {step_size, keep, own_step_size, own_keep, from, to};
    release(
        size, sums, {weights, first_moment, second_moment, averages}, partials,
        {{k0, k1, k2, k3, k4, k5, k6, k7}, {n0, n1, n2}}, deviation, per_unit,
        AdamOnVectors{{beta1, beta2, epsilon, correction, rates}, average_share});
}
EXPORT_KERNEL(noise_step_adam)

// w = keep * w - step_size * mean.
extern "C" __global__ void __launch_bounds__(kThreads, 4) noise_step_sgd(
    int size, long long* sums, float* weights, float* averages, double* partials, unsigned k0, unsigned k1, unsigned k2,
    unsigned k3, unsigned k4, unsigned k5, unsigned k6, unsigned k7, unsigned n0, unsigned n1, unsigned n2,
    double deviation, double per_unit, float step_size, float keep, float own_step_size, float own_keep, int from,
    int to, double average_share) {
    release(
        size, sums, {weights, nullptr, nullptr, averages}, partials,
        {{k0, k1, k2, k3, k4, k5, k6, k7}, {n0, n1, n2}}, deviation, per_unit,
        SgdOnVectors{{step_size, keep, own_step_size, own_keep, from, to}, average_share});
}
EXPORT_KERNEL(noise_step_sgd)

// Adam on a gradient that needs no noise, multiplied by a factor. A thread per coordinate.
extern "C" __global__ void __launch_bounds__(kThreads) noise_step_update(
    int size, const float* gradient, float factor, float* weights, float* first_moment, float* second_moment,
    float* averages, float beta1, float beta2, float epsilon, float correction, float step_size, float keep,
    float own_step_size, float own_keep, int from, int to, double average_share) {
    const long long j = static_cast<long long>(blockIdx.x) * kThreads + threadIdx.x;
    if (j < size) {
        const Vectors vectors = {weights, first_moment, second_moment, averages};
        const AdamOnVectors optimizer = {
            {beta1, beta2, epsilon, correction, {step_size, keep, own_step_size, own_keep, from, to}}, average_share};
        const int at = static_cast<int>(j);
        optimizer.step(vectors, at, optimizer.load(vectors, at), __fmul_rn(gradient[at], factor));
    }
}
EXPORT_KERNEL(noise_step_update)
