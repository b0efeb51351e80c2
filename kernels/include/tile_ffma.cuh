// The arithmetic of a tile in float32, without tensor cores: see tile.cuh.
//
// A thread owns kLinesA x kLinesB sums. Per depth it reads kLinesA + kLinesB floats from shared memory for
// kLinesA·kLinesB multiply-adds: vectors of four lines, or of two depths where depths are contiguous. Four depths at a
// time would be half the reads, but 8 x 8 sums leave no registers for them when 512 threads share a multiprocessor.
#pragma once

#include "tile.cuh"

template <int kRows_, int kColumns_, int kLinesA, int kLinesB, Layout kLayoutA_, Layout kLayoutB_>
class FfmaTile {
public:
    using Element = float;
    static constexpr int kRows = kRows_;
    static constexpr int kColumns = kColumns_;
    static constexpr Layout kLayoutA = kLayoutA_;
    static constexpr Layout kLayoutB = kLayoutB_;
    static constexpr int kThreads = (kRows / kLinesA) * (kColumns / kLinesB);
    static constexpr int kStagedBytes = 0;

    __device__ __forceinline__ FfmaTile() {
        const int lane = threadIdx.x % kWarp;
        const int warp = threadIdx.x / kWarp;
        place_a_ = warp / kWarpsAcross * (kWarp / kLanesAcross) + lane / kLanesAcross;
        place_b_ = warp % kWarpsAcross * kLanesAcross + lane % kLanesAcross;
    }

    __device__ __forceinline__ void clear() {
#pragma unroll
        for (int i = 0; i < kLinesA; i++) {
#pragma unroll
            for (int j = 0; j < kLinesB; j++) {
                sums_[i][j] = 0;
            }
        }
    }

    __device__ __forceinline__ void add(const float* slab_a, const float* slab_b) {
#pragma unroll
        for (int depth = 0; depth < kSlab<float>; depth += kStep) {
            float a[kStep][kLinesA];
            float b[kStep][kLinesB];
            read<kRows, kLinesA, kAcrossA, kLayoutA>(slab_a, place_a_, depth, a);
            read<kColumns, kLinesB, kAcrossB, kLayoutB>(slab_b, place_b_, depth, b);
#pragma unroll
            for (int k = 0; k < kStep; k++) {
#pragma unroll
                for (int i = 0; i < kLinesA; i++) {
#pragma unroll
                    for (int j = 0; j < kLinesB; j++) {
                        sums_[i][j] += a[k][i] * b[k][j];
                    }
                }
            }
        }
    }

    // Calls f(row, column, values) for runs of sums that are neighbours in a row of the tile.
    template <class F>
    __device__ __forceinline__ void each_run(F f) const {
        constexpr int kRun = kLayoutB == Layout::kLineContiguous ? 4 : 1;
#pragma unroll
        for (int i = 0; i < kLinesA; i++) {
#pragma unroll
            for (int j = 0; j < kLinesB; j += kRun) {
                float run[kRun];
#pragma unroll
                for (int r = 0; r < kRun; r++) {
                    run[r] = sums_[i][j + r];
                }
                f(line<kAcrossA, kLayoutA>(place_a_, i), line<kAcrossB, kLayoutB>(place_b_, j), run);
            }
        }
    }

    // The same: the runs of neighbouring threads are neighbours.
    template <int kRun, class F>
    __device__ __forceinline__ void each_row(unsigned char*, F f) const {
        each_run(f);
    }

private:
    // Depths that are read at a time.
    static constexpr int kStep = 2;
    // Threads of the block along each axis, and how a warp's lanes share them.
    static constexpr int kAcrossA = kRows / kLinesA;
    static constexpr int kAcrossB = kColumns / kLinesB;
    static constexpr int kLanesAcross = kAcrossB < 8 ? kAcrossB : 8;
    static constexpr int kWarpsAcross = kAcrossB / kLanesAcross;
    static_assert(kLinesA % 4 == 0 && kLinesB % 4 == 0 && kThreads % kWarp == 0, "whole vectors, whole warps");

    // The i-th line of a thread: lines go round the threads, singly or in vectors of four.
    template <int kAcross, Layout kLayout>
    __device__ static __forceinline__ int line(int place, int i) {
        return kLayout == Layout::kDepthContiguous ? i * kAcross + place : (i / 4 * kAcross + place) * 4 + i % 4;
    }

    template <int kLines, int kOwn, int kAcross, Layout kLayout>
    __device__ static __forceinline__ void read(const float* slab, int place, int depth, float (&values)[kStep][kOwn]) {
        using Slab = SharedSlab<float, kLines, kLayout>;
        if (kLayout == Layout::kDepthContiguous) {
#pragma unroll
            for (int i = 0; i < kOwn; i++) {
                const int at = kAcross % 8 == 0 ? Slab::index(i * kAcross, place, depth)
                                                : Slab::index(line<kAcross, kLayout>(place, i), depth);
                const float2 vector = *reinterpret_cast<const float2*>(slab + at);
                values[0][i] = vector.x;
                values[1][i] = vector.y;
            }
        } else {
#pragma unroll
            for (int k = 0; k < kStep; k++) {
#pragma unroll
                for (int i = 0; i < kOwn; i += 4) {
                    const int at = Slab::index(line<kAcross, kLayout>(place, i), depth + k);
                    const float4 vector = *reinterpret_cast<const float4*>(slab + at);
                    values[k][i] = vector.x;
                    values[k][i + 1] = vector.y;
                    values[k][i + 2] = vector.z;
                    values[k][i + 3] = vector.w;
                }
            }
        }
    }

    int place_a_;
    int place_b_;
    float sums_[kLinesA][kLinesB];
};
