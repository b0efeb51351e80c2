// Kernels without a mistake: what they compute must not depend on the order of threads, and nothing may be reported.
#include "sapwood.cuh"

// out[block] = Σ in[block, :], n columns.
extern "C" __global__ void sound_block_sum(const float* in, float* out, int n) {
    __shared__ float scratch[32];
    float sum = 0;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        sum += in[static_cast<long long>(blockIdx.x) * n + i];
    }
    // Twice, to use the scratch array again.
    const float total = block_sum(sum, scratch);
    const float again = block_sum(sum, scratch);
    if (threadIdx.x == 0) {
        out[blockIdx.x] = total == again ? total : -1;
    }
}
EXPORT_KERNEL(sound_block_sum)

// out [columns, rows] = inᵀ; blocks of 32 × 8 threads.
extern "C" __global__ void sound_transpose(const float* in, float* out, int rows, int columns) {
    __shared__ float tile[32][33];
    const int column = blockIdx.x * 32 + threadIdx.x;
    for (int i = threadIdx.y; i < 32; i += blockDim.y) {
        const int row = blockIdx.y * 32 + i;
        if (row < rows && column < columns) {
            tile[i][threadIdx.x] = in[row * columns + column];
        }
    }
    __syncthreads();
    const int out_column = blockIdx.y * 32 + threadIdx.x;
    for (int i = threadIdx.y; i < 32; i += blockDim.y) {
        const int out_row = blockIdx.x * 32 + i;
        if (out_row < columns && out_column < rows) {
            out[out_row * rows + out_column] = tile[threadIdx.x][i];
        }
    }
}
EXPORT_KERNEL(sound_transpose)

// Every operation of a warp, against what it should give. out[thread] counts the wrong ones.
extern "C" __global__ void sound_warp_operations(int* out) {
    const int lane = threadIdx.x % 32;
    int wrong = 0;
    wrong += __shfl_sync(kAllLanes, lane, 5) != 5;
    wrong += __shfl_sync(kAllLanes, lane, 3, 8) != lane / 8 * 8 + 3;
    wrong += __shfl_up_sync(kAllLanes, lane, 3) != (lane >= 3 ? lane - 3 : lane);
    wrong += __shfl_down_sync(kAllLanes, lane, 30) != (lane < 2 ? lane + 30 : lane);
    wrong += __shfl_down_sync(kAllLanes, lane, 1, 4) != (lane % 4 < 3 ? lane + 1 : lane);
    wrong += __shfl_xor_sync(kAllLanes, 1.5 * lane, 9) != 1.5 * (lane ^ 9);
    wrong += __shfl_xor_sync(kAllLanes, 1LL << lane, 16) != 1LL << (lane ^ 16);
    wrong += __ballot_sync(kAllLanes, lane % 3 == 0) != 0x49249249u;
    wrong += __any_sync(kAllLanes, lane == 31) != 1;
    wrong += __any_sync(kAllLanes, 0) != 0;
    wrong += __all_sync(kAllLanes, lane < 32) != 1;
    wrong += __all_sync(kAllLanes, lane < 31) != 0;
    // The two halves on ways of their own.
    if (lane < 16) {
        wrong += __shfl_xor_sync(0x0000ffffu, lane, 15) != 15 - lane;
        wrong += __ballot_sync(0x0000ffffu, 1) != 0x0000ffffu;
    } else {
        wrong += __shfl_xor_sync(0xffff0000u, lane, 15) != 47 - lane;
    }
    __syncwarp();
    wrong += __syncthreads_count(lane < 3) != 3 * static_cast<int>(blockDim.x / 32);
    wrong += __syncthreads_or(threadIdx.x == 1) != 1;
    wrong += __syncthreads_and(threadIdx.x != 1) != 0;
#if defined(SAPWOOD_EMULATOR)
    int all[32];
    for (int round = 0; round < 3; ++round) {
        emulated_all_gather(lane * round, all);
        for (int i = 0; i < 32; ++i) {
            wrong += all[i] != i * round;
        }
    }
#endif
    out[threadIdx.x] = wrong;
}
EXPORT_KERNEL(sound_warp_operations)

// counts[value] += 1, in shared memory first; 16 values.
extern "C" __global__ void sound_histogram(const int* values, unsigned* counts, int n) {
    __shared__ unsigned local[16];
    if (threadIdx.x < 16) {
        local[threadIdx.x] = 0;
    }
    __syncthreads();
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        atomicAdd(&local[values[i]], 1u);
    }
    __syncthreads();
    if (threadIdx.x < 16) {
        atomicAdd(&counts[threadIdx.x], local[threadIdx.x]);
    }
}
EXPORT_KERNEL(sound_histogram)

// Dynamic shared memory, values of two bytes: neighbours in one word belong to different threads.
extern "C" __global__ void sound_halves(unsigned short* out) {
    SHARED_DYNAMIC(bytes);
    unsigned short* halves = reinterpret_cast<unsigned short*>(bytes);
    halves[threadIdx.x] = static_cast<unsigned short>(threadIdx.x);
    halves[threadIdx.x] = static_cast<unsigned short>(halves[threadIdx.x] + 1);
    __syncthreads();
    out[threadIdx.x] = halves[blockDim.x - 1 - threadIdx.x];
}
EXPORT_KERNEL(sound_halves)

// out[i] = the place of thread i in the order of the threads: what the seed decides. One block.
extern "C" __global__ void order_of_threads(unsigned* next, unsigned* out) {
    out[threadIdx.x] = atomicAdd(next, 1u);
}
EXPORT_KERNEL(order_of_threads)

// What a block finds in memory that nobody wrote: a GPU's is arbitrary, the emulator's is NaN.
extern "C" __global__ void copies_bits(const unsigned* in, unsigned* out) {
    out[threadIdx.x] = in[threadIdx.x];
}
EXPORT_KERNEL(copies_bits)

// One argument of every kind.
extern "C" __global__ void sums_arguments(double* out, int a, long long b, float c, double d, Rows rows) {
    if (threadIdx.x == 0) {
        *out = a + static_cast<double>(b) + c + d + static_cast<double>(rows.stride) + rows.samples_per_row
               + rows.accumulate + (rows.first == nullptr ? 0 : 1000);
    }
}
EXPORT_KERNEL(sums_arguments)
