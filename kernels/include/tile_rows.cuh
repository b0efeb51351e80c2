// The way of finished sums to memory by whole rows.
//
// Fragments of tensor cores give a lane pairs of neighbours, eight bytes here and eight bytes in another row. Through
// shared memory, a warp passes on runs of a row in order of its lanes, whole lines of 128 bytes at once.
#pragma once

#include "tensor_core.cuh"

// 16 rows of sums of each warp, with a part of shared memory to itself.
template <int kColumns>
class StagedRows {
    // Lanes that store pairs meet all banks.
    static constexpr int kPitch = kColumns + 8;

public:
    // Bytes that so many warps take.
    static constexpr int bytes(int warps) {
        return warps * 16 * kPitch * static_cast<int>(sizeof(float));
    }

    __device__ __forceinline__ explicit StagedRows(unsigned char* shared)
        : rows_(reinterpret_cast<float*>(shared) + threadIdx.x / kWarp * 16 * kPitch) {}

    // Takes kColumns sums of 16 rows, fragments of 16 x 8 each.
    __device__ __forceinline__ void stage(const float (&sums)[kColumns / 8][4]) {
        const int lane = threadIdx.x % kWarp;
        __syncwarp();
#pragma unroll
        for (int half = 0; half < 2; half++) {
#pragma unroll
            for (int j = 0; j < kColumns / 8; j++) {
                const float* const pair = sums[j] + half * 2;
                *reinterpret_cast<float2*>(rows_ + (half * 8 + lane / 4) * kPitch + j * 8 + lane % 4 * 2) =
                    make_float2(pair[0], pair[1]);
            }
        }
        __syncwarp();
    }

    // Calls f(row, column, values) for runs of kRun neighbours, which follow one another from lane to lane.
    template <int kRun, class F>
    __device__ __forceinline__ void each(F f) const {
        constexpr int kPerRow = kColumns / kRun;
#pragma unroll 8
        for (int i = 0; i < 16 * kPerRow / kWarp; i++) {
            const int item = i * kWarp + threadIdx.x % kWarp;
            const int row = item / kPerRow;
            const int column = item % kPerRow * kRun;
            alignas(kRun * sizeof(float)) float run[kRun];
            if constexpr (kRun == 4) {
                *reinterpret_cast<float4*>(run) = *reinterpret_cast<const float4*>(rows_ + row * kPitch + column);
            } else {
                run[0] = rows_[row * kPitch + column];
            }
            f(row, column, run);
        }
    }

private:
    float* rows_;
};
