// How a block walks over [T, C]: thread i owns the four channels of quad i % quads and, of the tokens, i / quads and
// every (blockDim / quads)-th from there on. `quads` is a power of two, so that the tokens within a warp are summed by
// shuffles. Who adds what, and in which order, depends on T, C and the launch alone.
#pragma once

#include "quad.cuh"

struct Columns {
    int channels;  // C
    int first;     // the first of this thread's four channels
    int count;     // how many of the four there are; none outside C or the block's slice
    int token;     // the first token of this thread
    int step;      // tokens from one to the next
    int quads;     // columns of threads

    __device__ Columns(int channels, int slice_first, int slice_end, int quads)
        : channels(channels),
          first(slice_first + static_cast<int>(threadIdx.x) % quads * 4),
          count(min(slice_end - first, 4)),
          token(threadIdx.x / quads),
          step(blockDim.x / quads),
          quads(quads) {}

    // Whether all of this thread's quads can be read at once from a tensor [..., C].
    __device__ bool whole(const float* tensor) const {
        return channels % 4 == 0 && first % 4 == 0 && count == 4 && is_aligned16(tensor);
    }

    // Where token t of this thread's channels stands within its sample.
    __device__ int at(int t) const {
        return t * channels + first;
    }
};

// How many parts column_parts leaves per channel.
__device__ __forceinline__ int column_part_count(int quads) {
    return blockDim.x / max(quads, kWarp);
}

// Sums `value` over the threads of a quad as far as warps go. Leaves the parts in shared memory, [parts, 4·quads] from
// `parts` on; all threads of the block call it, and pass a barrier before they read.
__device__ __forceinline__ void column_parts(float4 value, int quads, float* parts) {
    for (int offset = quads; offset < kWarp; offset *= 2) {
        value = each(value, [=](float own) { return own + __shfl_xor_sync(kAllLanes, own, offset); });
    }
    const int thread = threadIdx.x;
    if (quads >= kWarp || thread % kWarp < quads) {
        float* part = parts + (thread / max(quads, kWarp) * quads + thread % quads) * 4;
        part[0] = value.x;
        part[1] = value.y;
        part[2] = value.z;
        part[3] = value.w;
    }
}
