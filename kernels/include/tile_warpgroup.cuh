// The arithmetic of a tile on the tensor cores of compute capability 9.0, by warpgroups: see tile.cuh. Factors are
// bfloat16; sums stay float32.
//
// A warpgroup owns 64 rows of the tile. It multiplies straight from shared memory, so that a thread's registers hold
// sums alone, and asynchronously: while the tensor cores are busy with one slab, the threads start the copies of a
// later one. Every sum is one chain over ascending depth in all tiles of this kind.
#pragma once

#include "tile.cuh"
#include "tile_rows.cuh"
#include "warpgroup.cuh"

#if defined(SAPWOOD_WARPGROUPS)

template <int kRows_, int kColumns_, Layout kLayoutA, Layout kLayoutB>
class WarpgroupTile {
    static constexpr int kGroupRows = 64;

public:
    using Element = bfloat16;
    static constexpr int kRows = kRows_;
    static constexpr int kColumns = kColumns_;
    static constexpr int kThreads = kRows / kGroupRows * kWarpgroup;
    using SlabA = WarpgroupSlab<kRows, kLayoutA == Layout::kDepthContiguous>;
    using SlabB = WarpgroupSlab<kColumns, kLayoutB == Layout::kDepthContiguous>;
    static constexpr int kStagedBytes = StagedRows<kColumns>::bytes(kThreads / kWarp);

    // Starts to add the product of two slabs, or to replace the sums by it, as one group of multiplications.
    __device__ __forceinline__ void start(const bfloat16* slab_a, const bfloat16* slab_b, bool add) {
        open_multiplications();
#pragma unroll
        for (int depth = 0; depth < SlabA::kDepth; depth += 16) {
            multiply_async<SlabA, SlabB>(sums_, slab_a, group_row(), slab_b, 0, depth, add || depth > 0);
        }
        close_multiplications();
    }

    // Calls f(row, column, values) for pairs of sums that are neighbours in a row of the tile.
    template <class F>
    __device__ __forceinline__ void each_run(F f) const {
#pragma unroll
        for (int half = 0; half < 2; half++) {
#pragma unroll
            for (int j = 0; j < kEights; j++) {
                const float run[2] = {sums_[j][half * 2], sums_[j][half * 2 + 1]};
                f(warp_row() + half * 8 + lane() / 4, j * 8 + lane() % 4 * 2, run);
            }
        }
    }

    // The same for runs of kRun that follow one another in the rows of a warp: they go through `shared`.
    template <int kRun, class F>
    __device__ __forceinline__ void each_row(unsigned char* shared, F f) const {
        StagedRows<kColumns> rows(shared);
        rows.stage(sums_);
        rows.template each<kRun>([&](int row, int column, const auto& run) { f(warp_row() + row, column, run); });
    }

private:
    static constexpr int kEights = kColumns / 8;

    __device__ static __forceinline__ int lane() {
        return threadIdx.x % kWarp;
    }
    __device__ static __forceinline__ int group_row() {
        // The same in all lanes, which the compiler cannot know.
        return __shfl_sync(kAllLanes, threadIdx.x / kWarpgroup, 0) * kGroupRows;
    }
    __device__ static __forceinline__ int warp_row() {
        return static_cast<int>(threadIdx.x) / kWarp * (kGroupRows / 4);
    }

    float sums_[kEights][4];
};

// One tile of a product, as TileProduct in tile.cuh. The multiplications of a slab are finished before those of the
// next are started; other blocks of the multiprocessor bridge the gap.
template <class Arithmetic, int kStages>
struct WarpgroupProduct {
    using SlabA = typename Arithmetic::SlabA;
    using SlabB = typename Arithmetic::SlabB;
    static constexpr int kSharedBytes = kStages * (SlabA::kBytes + SlabB::kBytes);
    static_assert(Arithmetic::kStagedBytes <= kSharedBytes, "finished sums go through the memory of the slabs");

    template <class SourceA, class SourceB>
    __device__ static __forceinline__ void multiply(const SourceA& a, int first_row, const SourceB& b,
                                                    int first_column, int depth, unsigned char* shared,
                                                    Arithmetic& sums) {
        // Slabs that are copied ahead, while one is being read.
        constexpr int kAhead = kStages - 1;
        bfloat16* const slabs_a = reinterpret_cast<bfloat16*>(shared);
        bfloat16* const slabs_b = slabs_a + kStages * SlabA::kElements;
        constexpr int kThreads = Arithmetic::kThreads;
        SlabLoader<SlabA, kThreads, SourceA> load_a(a, first_row);
        SlabLoader<SlabB, kThreads, SourceB> load_b(b, first_column);
        // Without any depth, one slab of zeros.
        const int slabs = max(1, (depth + SlabA::kDepth - 1) / SlabA::kDepth);
#pragma unroll
        for (int i = 0; i < kAhead; i++) {
            if (i < slabs) {
                load_a.copy(slabs_a + i * SlabA::kElements);
                load_b.copy(slabs_b + i * SlabB::kElements);
            }
            close_copies();
        }
        int reading = 0;
        int writing = kAhead;
        for (int i = 0; i < slabs; i++) {
            wait_for_copies<kAhead - 1>();
            publish_to_tensor_cores();
            wait_for_multiplications();
            // The slab has arrived for all threads, and all warpgroups are done with the one that is overwritten next.
            __syncthreads();
            sums.start(slabs_a + reading * SlabA::kElements, slabs_b + reading * SlabB::kElements, i > 0);
            if (i + kAhead < slabs) {
                load_a.copy(slabs_a + writing * SlabA::kElements);
                load_b.copy(slabs_b + writing * SlabB::kElements);
            }
            close_copies();
            reading = reading + 1 == kStages ? 0 : reading + 1;
            writing = writing + 1 == kStages ? 0 : writing + 1;
        }
        wait_for_multiplications();
        __syncthreads();
    }
};

#endif
