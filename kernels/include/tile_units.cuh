// How the samples of a batch are divided over the blocks of a weight gradient.
#pragma once

#include "sapwood.cuh"

// A row of gradients takes the sum over its samples. Each row's samples are cut into `splits` parts of consecutive
// samples, a unit of blocks for each: one part whose samples are finished and added one by one
// (samples_per_pass = 1), or several, each one product over all its samples, that are added up later.
struct Units {
    int samples;
    int samples_per_row;
    int splits;
    int samples_per_pass;

    __device__ __forceinline__ int first_sample(int unit) const {
        return unit / splits * samples_per_row + unit % splits * per_split();
    }
    // One past the last sample of a unit.
    __device__ __forceinline__ int end_sample(int unit) const {
        const int row_end = min((unit / splits + 1) * samples_per_row, samples);
        return min(first_sample(unit) + per_split(), row_end);
    }

private:
    __device__ __forceinline__ int per_split() const {
        return (samples_per_row + splits - 1) / splits;
    }
};
