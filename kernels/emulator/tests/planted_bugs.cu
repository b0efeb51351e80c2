// One kernel per mistake that the emulator must find. Each takes a flag: 1 for the mistake, 0 for the kernel as it should
// be, which must pass under every order of its threads.
#include "sapwood.cuh"

// in and out hold n floats; one block.
extern "C" __global__ void bug_out_of_bounds_read(const float* in, float* out, int n, int bug) {
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        out[i] = in[i + bug];
    }
}
EXPORT_KERNEL(bug_out_of_bounds_read)

extern "C" __global__ void bug_out_of_bounds_write(const float* in, float* out, int n, int bug) {
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        out[i - bug] = in[i];
    }
}
EXPORT_KERNEL(bug_out_of_bounds_write)

// A row of a tile is left, its neighbour is not.
extern "C" __global__ void bug_index_beyond_row(float* out, int bug) {
    __shared__ float tile[8][8];
    const int row = threadIdx.x / 8 % 8;
    const int column = threadIdx.x % 8;
    if (threadIdx.x < 64) {
        tile[row][column] = 1;
    }
    __syncthreads();
    if (threadIdx.x < 56) {
        out[threadIdx.x] = tile[row][column + bug];
    }
}
EXPORT_KERNEL(bug_index_beyond_row)

// Launched with room for 64 floats.
extern "C" __global__ void bug_beyond_dynamic_shared(float* out, int bug) {
    SHARED_DYNAMIC(bytes);
    float* values = reinterpret_cast<float*>(bytes);
    if (threadIdx.x < 64) {
        values[threadIdx.x + bug] = 2;
    }
    __syncthreads();
    if (threadIdx.x < 64 && !bug) {
        out[threadIdx.x] = values[threadIdx.x];
    }
}
EXPORT_KERNEL(bug_beyond_dynamic_shared)

extern "C" __global__ void bug_uninitialised_shared(float* out, int bug) {
    __shared__ float values[64];
    if (threadIdx.x < 64 && !(bug && threadIdx.x == 5)) {
        values[threadIdx.x] = threadIdx.x;
    }
    __syncthreads();
    if (threadIdx.x < 64) {
        out[threadIdx.x] = values[63 - threadIdx.x];
    }
}
EXPORT_KERNEL(bug_uninitialised_shared)

// Some threads return before the barrier.
extern "C" __global__ void bug_divergent_barrier(float* out, int bug) {
    __shared__ float values[64];
    if (threadIdx.x < 64) {
        values[threadIdx.x] = 1;
    }
    if (bug && threadIdx.x >= 48) {
        return;
    }
    __syncthreads();
    if (threadIdx.x < 48) {
        out[threadIdx.x] = values[threadIdx.x];
    }
}
EXPORT_KERNEL(bug_divergent_barrier)

// Two barriers, which a GPU may or may not take for one.
extern "C" __global__ void bug_two_barriers(float* out, int bug) {
    if (bug && threadIdx.x < 32) {
        __syncthreads();
    } else {
        __syncthreads();
    }
    out[threadIdx.x % 64] = 1;
}
EXPORT_KERNEL(bug_two_barriers)

extern "C" __global__ void bug_missing_lane(float* out, int bug) {
    float value = threadIdx.x;
    if (!(bug && threadIdx.x == 7)) {
        value = warp_sum(value);
    }
    if (threadIdx.x % 32 == 0) {
        out[threadIdx.x / 32] = value;
    }
}
EXPORT_KERNEL(bug_missing_lane)

// Lanes at different operations of the warp.
extern "C" __global__ void bug_two_shuffles(float* out, int bug) {
    float value = threadIdx.x;
    if (bug && threadIdx.x % 2 == 0) {
        value += __shfl_down_sync(kAllLanes, value, 1);
    } else {
        value += __shfl_xor_sync(kAllLanes, value, 1);
    }
    out[threadIdx.x % 64] = value;
}
EXPORT_KERNEL(bug_two_shuffles)

extern "C" __global__ void bug_misaligned_vector(const float* in, float* out, int bug) {
    if (threadIdx.x < 8) {
        const float4 quad = *reinterpret_cast<const float4*>(in + 4 * threadIdx.x + bug);
        out[threadIdx.x] = quad.x + quad.w;
    }
}
EXPORT_KERNEL(bug_misaligned_vector)

// Another warp reads what this one writes.
extern "C" __global__ void bug_race_between_warps(float* out, int bug) {
    __shared__ float values[64];
    if (threadIdx.x < 64) {
        values[threadIdx.x] = 0;
    }
    __syncthreads();
    if (threadIdx.x < 64) {
        values[threadIdx.x] = threadIdx.x;
    }
    if (!bug) {
        __syncthreads();
    }
    if (threadIdx.x < 64) {
        out[threadIdx.x] = values[(threadIdx.x + 32) % 64];
    }
}
EXPORT_KERNEL(bug_race_between_warps)

// What was read is overwritten for the next round while others may still read it.
extern "C" __global__ void bug_race_of_rounds(float* out, int bug) {
    __shared__ float value;
    float sum = 0;
    for (int round = 0; round < 3; ++round) {
        if (threadIdx.x == 0) {
            value = round;
        }
        __syncthreads();
        sum += value;
        if (!bug) {
            __syncthreads();
        }
    }
    out[threadIdx.x % 64] = sum;
}
EXPORT_KERNEL(bug_race_of_rounds)

extern "C" __global__ void bug_race_within_warp(float* out, int bug) {
    __shared__ float values[32];
    if (threadIdx.x < 32) {
        values[threadIdx.x] = 0;
        __syncwarp();
        values[threadIdx.x] = threadIdx.x;
        if (!bug) {
            __syncwarp();
        }
        out[threadIdx.x] = values[31 - threadIdx.x];
    }
}
EXPORT_KERNEL(bug_race_within_warp)

// in is a pointer of the host if the launch says so; there is no mistake in the kernel itself.
extern "C" __global__ void reads_one(const float* in, float* out) {
    if (threadIdx.x == 0) {
        *out = *in;
    }
}
EXPORT_KERNEL(reads_one)
