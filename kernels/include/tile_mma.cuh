// The arithmetic of a tile on tensor cores: see tile.cuh. Factors are rounded to TF32 or bfloat16; sums stay float32.
//
// Slabs hold floats, rounded on the way to the fragments, or bfloat16 that was rounded before. A warp owns kWarpRows x
// kWarpColumns sums. The two depths that a lane takes at once are neighbours, also under TF32, where the order of
// depths within one instruction is free as long as both factors agree: then a lane reads pairs in either precision.
#pragma once

#include "tile.cuh"
#include "tile_rows.cuh"

enum class Factor { kTf32, kBfloat16 };

// The fragments of a factor, with lines of A in 16s and lines of B in 8s.
template <class T, Factor kFactor>
struct FragmentReader;

// Floats in shared memory.
template <Factor kFactor>
struct FragmentReader<float, kFactor> {
    static constexpr int kDepth = kFactor == Factor::kTf32 ? 8 : 16;

    // Of this lane's line among eight.
    template <class Slab>
    __device__ static __forceinline__ float2 pair(const float* slab, int eight, int depth) {
        const int line = threadIdx.x % kWarp / 4;
        if (Slab::kDeep) {
            return *reinterpret_cast<const float2*>(slab + Slab::index(eight, line, depth));
        }
        return make_float2(slab[Slab::index(eight, line, depth)], slab[Slab::index(eight, line, depth + 1)]);
    }

    // The registers of a line: of depths 2t and 2t + 1, and, with bfloat16, of those 8 further.
    template <class Slab>
    __device__ static __forceinline__ void read_line(const float* slab, int eight, int depth, unsigned& near,
                                                     unsigned& far) {
        const float2 first = pair<Slab>(slab, eight, depth + threadIdx.x % 4 * 2);
        if (kFactor == Factor::kTf32) {
            near = round_tf32(first.x);
            far = round_tf32(first.y);
        } else {
            const float2 second = pair<Slab>(slab, eight, depth + threadIdx.x % 4 * 2 + 8);
            near = pack_bfloat16(first.x, first.y);
            far = pack_bfloat16(second.x, second.y);
        }
    }

    template <class Slab>
    __device__ static __forceinline__ void read_a(const float* slab, int line, int depth, unsigned (&a)[4]) {
        read_line<Slab>(slab, line, depth, a[0], a[2]);
        read_line<Slab>(slab, line + 8, depth, a[1], a[3]);
    }

    // Two neighbouring fragments of B.
    template <class Slab>
    __device__ static __forceinline__ void read_b(const float* slab, int line, int depth, unsigned (&b)[4]) {
        read_line<Slab>(slab, line, depth, b[0], b[1]);
        read_line<Slab>(slab, line + 8, depth, b[2], b[3]);
    }
};

// Bfloat16 in shared memory.
template <>
struct FragmentReader<bfloat16, Factor::kBfloat16> {
    static constexpr int kDepth = 16;

    // Four matrices of 8 lines x 8 depths: for A, lines run faster over the four than depths, for B slower.
    template <class Slab>
    __device__ static __forceinline__ void read(const bfloat16* slab, int line, int depth, bool lines_first,
                                                unsigned (&part)[4]) {
        const int lane = threadIdx.x % kWarp;
        const int matrix_line = line + (lines_first ? lane / 8 % 2 : lane / 16) * 8;
        const int matrix_depth = depth + (lines_first ? lane / 16 : lane / 8 % 2) * 8;
        if (Slab::kDeep) {
            load_matrices(part, slab + Slab::index(matrix_line, lane % 8, matrix_depth));
        } else {
            load_matrices_transposed(part, slab + Slab::index(matrix_line, 0, matrix_depth + lane % 8));
        }
    }

    template <class Slab>
    __device__ static __forceinline__ void read_a(const bfloat16* slab, int line, int depth, unsigned (&a)[4]) {
        read<Slab>(slab, line, depth, true, a);
    }

    template <class Slab>
    __device__ static __forceinline__ void read_b(const bfloat16* slab, int line, int depth, unsigned (&b)[4]) {
        read<Slab>(slab, line, depth, false, b);
    }
};

template <class T, Factor kFactor, int kRows_, int kColumns_, int kWarpRows, int kWarpColumns, Layout kLayoutA_,
          Layout kLayoutB_>
class MmaTile {
public:
    using Element = T;
    static constexpr int kRows = kRows_;
    static constexpr int kColumns = kColumns_;
    static constexpr Layout kLayoutA = kLayoutA_;
    static constexpr Layout kLayoutB = kLayoutB_;
    static constexpr int kThreads = (kRows / kWarpRows) * (kColumns / kWarpColumns) * kWarp;
    static constexpr int kStagedBytes = StagedRows<kWarpColumns>::bytes(kThreads / kWarp);

    __device__ __forceinline__ MmaTile() {
        const int warp = threadIdx.x / kWarp;
        first_row_ = warp / (kColumns / kWarpColumns) * kWarpRows;
        first_column_ = warp % (kColumns / kWarpColumns) * kWarpColumns;
    }

    __device__ __forceinline__ void clear() {
#pragma unroll
        for (int i = 0; i < kTilesA; i++) {
#pragma unroll
            for (int j = 0; j < kTilesB; j++) {
#pragma unroll
                for (int r = 0; r < 4; r++) {
                    sums_[i][j][r] = 0;
                }
            }
        }
    }

    __device__ __forceinline__ void add(const T* slab_a, const T* slab_b) {
        using Reader = FragmentReader<T, kFactor>;
        using SlabA = SharedSlab<T, kRows, kLayoutA>;
        using SlabB = SharedSlab<T, kColumns, kLayoutB>;
#pragma unroll
        for (int depth = 0; depth < kSlab<T>; depth += Reader::kDepth) {
            unsigned a[kTilesA][4];
            unsigned b[kTilesB / 2][4];
#pragma unroll
            for (int i = 0; i < kTilesA; i++) {
                Reader::template read_a<SlabA>(slab_a, first_row_ + i * 16, depth, a[i]);
            }
#pragma unroll
            for (int j = 0; j < kTilesB / 2; j++) {
                Reader::template read_b<SlabB>(slab_b, first_column_ + j * 16, depth, b[j]);
            }
#pragma unroll
            for (int i = 0; i < kTilesA; i++) {
#pragma unroll
                for (int j = 0; j < kTilesB; j++) {
                    if (kFactor == Factor::kTf32) {
                        multiply_tf32(sums_[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
                    } else {
                        multiply_bfloat16(sums_[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
                    }
                }
            }
        }
    }

    // Calls f(row, column, values) for pairs of sums that are neighbours in a row of the tile.
    template <class F>
    __device__ __forceinline__ void each_run(F f) const {
        const int lane = threadIdx.x % kWarp;
#pragma unroll
        for (int i = 0; i < kTilesA; i++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
#pragma unroll
                for (int j = 0; j < kTilesB; j++) {
                    const float run[2] = {sums_[i][j][half * 2], sums_[i][j][half * 2 + 1]};
                    f(first_row_ + i * 16 + half * 8 + lane / 4, first_column_ + j * 8 + lane % 4 * 2, run);
                }
            }
        }
    }

    // The same for runs of kRun that follow one another in the rows of a warp: they go through `shared`.
    template <int kRun, class F>
    __device__ __forceinline__ void each_row(unsigned char* shared, F f) const {
        StagedRows<kWarpColumns> rows(shared);
#pragma unroll
        for (int i = 0; i < kTilesA; i++) {
            rows.stage(sums_[i]);
            rows.template each<kRun>([&](int row, int column, const auto& run) {
                f(first_row_ + i * 16 + row, first_column_ + column, run);
            });
        }
    }

private:
    static constexpr int kTilesA = kWarpRows / 16;
    static constexpr int kTilesB = kWarpColumns / 8;
    static_assert(kWarpRows % 16 == 0 && kWarpColumns % 16 == 0, "whole fragments, those of B in pairs");

    int first_row_;
    int first_column_;
    float sums_[kTilesA][kTilesB][4];
};
