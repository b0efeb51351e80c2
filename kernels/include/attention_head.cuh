// What all attention kernels share: exponentials (power_of_two), and which head a block works on.
#pragma once

#include "approximate.cuh"

// The head that a block works on, and which of the head's blocks it is.
struct Head {
    long long rows_q;   // offset of the head's first row in q, y and their gradients
    long long rows_k;   // the same in k, v and theirs
    long long queries;  // offset in logSumExp and delta
    int block;

    __device__ Head(int blocks, int heads, int queries_count, int keys_count, int channels) {
        const int head = blockIdx.x / blocks;
        block = blockIdx.x - head * blocks;
        const long long sample = head / heads;
        const int column = head % heads * (channels / heads);
        rows_q = sample * queries_count * channels + column;
        rows_k = sample * keys_count * channels + column;
        queries = static_cast<long long>(head) * queries_count;
    }
};
