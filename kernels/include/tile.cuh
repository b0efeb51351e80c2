// The core of every matrix product: a block computes one tile of C = A·B, with A [lines, depth] and B [depth, lines].
//
// Both factors pass through shared memory in slabs of 64 bytes of depth (16 floats or 32 bfloat16), copied
// asynchronously in vectors of 16 bytes, a few slabs ahead of the arithmetic. What differs between products are four
// small parts, which are template parameters:
//   * a source per factor, which says where the vector of a line and a depth stands in memory, or that it is zero
//     (tile_sources.cuh: matrices, and the patches of images that make convolution a product);
//   * the layout of each factor, along which of its two axes it is contiguous;
//   * the arithmetic (tile_ffma.cuh: float32; tile_mma.cuh: tensor cores), which owns the sums;
//   * what becomes of the finished sums (tile_store.cuh stores them; a kernel may as well add up their squares).
//
// Every element of C is one chain over ascending depth, in all tile shapes: the shape changes no bit, so that the
// launch may choose it by the size of the whole problem.
//
// A source has the members
//   Line line(int index)             a line, maybe past the end
//   Depth depth(int index)           a depth, maybe past the end
//   Step step(int depths)            how far on
//   void advance(Depth&, Step)
//   const T* at(Line, Depth)         16 aligned bytes, or null for zeros
//   const T* anywhere()              some valid address
//   static constexpr bool kOverlaps  whether a block meets the same memory again at other depths
// Vectors lie along the contiguous axis and never cross the end of the memory: the extent of that axis is a multiple of
// a vector, if need be by padding with zeros (pack.cuh).
#pragma once

#include "tensor_core.cuh"

// The same value, of which the compiler knows nothing: what is computed from it is computed there, where it would
// otherwise be computed earlier and hold registers that the arithmetic needs.
__device__ __forceinline__ int opaque(int value) {
#if !defined(SAPWOOD_EMULATOR)
    asm volatile("" : "+r"(value));
#endif
    return value;
}

// Dynamic shared memory that slabs may begin in, of whatever kind.
#if defined(SAPWOOD_EMULATOR)
#define SHARED_SLABS(name) SHARED_DYNAMIC(name)
#else
#define SHARED_SLABS(name) extern __shared__ __align__(1024) unsigned char name[]
#endif

enum class Layout { kDepthContiguous, kLineContiguous };

constexpr int kVectorBytes = 16;
constexpr int kSlabBytes = 64;

// Depths of a slab of T.
template <class T>
constexpr int kSlab = kSlabBytes / static_cast<int>(sizeof(T));

// A slab of one factor in shared memory, laid out so that the lanes of a warp meet all banks, both when they copy
// vectors and when they read fragments. Lines of 64 bytes are swizzled: the place of a vector within its line changes
// from pair of lines to pair, so that eight lines have it in all eight places of 128 bytes. Longer rows are padded by
// 16 bytes.
template <class T, int kLines, Layout kLayout>
struct SharedSlab {
    using Element = T;
    static constexpr int kDepth = kSlab<T>;
    static constexpr bool kDeep = kLayout == Layout::kDepthContiguous;
    static constexpr int kRows = kDeep ? kLines : kSlab<T>;
    static constexpr int kColumns = kDeep ? kSlab<T> : kLines;
    static constexpr int kVector = kVectorBytes / static_cast<int>(sizeof(T));
    static constexpr int kPitch = kDeep ? kColumns : kColumns + kVector;
    static constexpr int kElements = kRows * kPitch;
    static constexpr int kBytes = kElements * static_cast<int>(sizeof(T));

    __device__ static __forceinline__ int index(int line, int depth) {
        return kDeep ? line * kPitch + (depth ^ swizzle(line)) : depth * kPitch + line;
    }
    // The same for the line `eights` + line, where `eights` is a multiple of 8, which moves nothing within a line.
    __device__ static __forceinline__ int index(int eights, int line, int depth) {
        return (kDeep ? eights * kPitch : eights) + index(line, depth);
    }

private:
    // Of the four vectors of a line; the lines of a pair share 128 bytes. Reading a quarter of a line at once, which
    // ldmatrix does, needs four different values for four pairs; reading half a line, two for neighbouring pairs.
    __device__ static __forceinline__ int swizzle(int line) {
        return ((line & 2) | (line >> 2 & 1)) * kVector;
    }
};

// Copies the slabs of one factor; every thread of the block has its share of the vectors.
template <class Slab, int kThreads, class Source>
class SlabLoader {
    using T = typename Slab::Element;
    static constexpr int kVector = Slab::kVector;
    static constexpr int kPerRow = Slab::kColumns / kVector;
    static constexpr int kVectors = Slab::kRows * kPerRow;
    static constexpr int kPasses = (kVectors + kThreads - 1) / kThreads;
    static constexpr int kRowsPerPass = kThreads / kPerRow < Slab::kRows ? kThreads / kPerRow : Slab::kRows;
    static constexpr int kPlaces = Slab::kDeep ? kPasses : 1;
    static_assert(kThreads % kPerRow == 0, "a thread stays in its column of vectors");

public:
    __device__ __forceinline__ SlabLoader(const Source& source, int first_line)
        : source_(source),
          row_(static_cast<int>(threadIdx.x) / kPerRow),
          column_(static_cast<int>(threadIdx.x) % kPerRow * kVector),
          depth_(source.depth(Slab::kDeep ? column_ : row_)),
          step_(source.step(Slab::kDeep ? Slab::kDepth : kRowsPerPass)) {
#pragma unroll
        for (int i = 0; i < kPlaces; i++) {
            lines_[i] = source.line(first_line + (Slab::kDeep ? row_ + i * kRowsPerPass : column_));
        }
    }

    // Starts to copy the next slab.
    __device__ __forceinline__ void copy(T* slab) {
#pragma unroll
        for (int i = 0; i < kPasses; i++) {
            if (kVectors % kThreads == 0 || row_ + i * kRowsPerPass < Slab::kRows) {
                copy_async<Source::kOverlaps>(slab + index(i),
                                              source_.at(lines_[Slab::kDeep ? i : 0], depth_), source_.anywhere());
            }
            if (!Slab::kDeep) {
                source_.advance(depth_, step_);
            }
        }
        if (Slab::kDeep) {
            source_.advance(depth_, step_);
        }
    }

private:
    __device__ __forceinline__ int index(int pass) const {
        const int row = row_ + pass * kRowsPerPass;
        return Slab::kDeep ? Slab::index(row, column_) : Slab::index(column_, row);
    }

    const Source& source_;
    int row_;
    int column_;
    typename Source::Depth depth_;
    typename Source::Step step_;
    typename Source::Line lines_[kPlaces];
};

// One tile of a product. Arithmetic names the element type T, the tile's shape kRows x kColumns, kThreads and kLayoutA,
// kLayoutB, and has the members clear(), add(slab of A, slab of B), each_run(f) over the finished sums and
// each_row<kRun>(shared, f), which takes kStagedBytes of shared memory.
template <class Arithmetic, int kStages>
struct TileProduct {
    using T = typename Arithmetic::Element;
    using SlabA = SharedSlab<T, Arithmetic::kRows, Arithmetic::kLayoutA>;
    using SlabB = SharedSlab<T, Arithmetic::kColumns, Arithmetic::kLayoutB>;
    static constexpr int kSharedBytes = kStages * (SlabA::kBytes + SlabB::kBytes);
    static_assert(Arithmetic::kStagedBytes <= kSharedBytes, "finished sums go through the memory of the slabs");

    // sums = A·B for the tile whose first row and column are given, over `depth` depths. All threads of the block call
    // it; shared memory is free again when it returns.
    template <class SourceA, class SourceB>
    __device__ static __forceinline__ void multiply(const SourceA& a, int first_row, const SourceB& b,
                                                    int first_column, int depth, unsigned char* shared,
                                                    Arithmetic& sums) {
        T* const slabs_a = reinterpret_cast<T*>(shared);
        T* const slabs_b = slabs_a + kStages * SlabA::kElements;
        constexpr int kThreads = Arithmetic::kThreads;
        SlabLoader<SlabA, kThreads, SourceA> load_a(a, first_row);
        SlabLoader<SlabB, kThreads, SourceB> load_b(b, first_column);
        const int slabs = (depth + kSlab<T> - 1) / kSlab<T>;
        sums.clear();
#pragma unroll
        for (int i = 0; i < kStages - 1; i++) {
            if (i < slabs) {
                load_a.copy(slabs_a + i * SlabA::kElements);
                load_b.copy(slabs_b + i * SlabB::kElements);
            }
            close_copies();
        }
        int reading = 0;
        int writing = kStages - 1;
        for (int i = 0; i < slabs; i++) {
            wait_for_copies<kStages - 2>();
            // The slab has arrived for all threads, and all are done with the one that is overwritten next.
            __syncthreads();
            if (i + kStages - 1 < slabs) {
                load_a.copy(slabs_a + writing * SlabA::kElements);
                load_b.copy(slabs_b + writing * SlabB::kElements);
            }
            close_copies();
            sums.add(slabs_a + reading * SlabA::kElements, slabs_b + reading * SlabB::kElements);
            reading = reading + 1 == kStages ? 0 : reading + 1;
            writing = writing + 1 == kStages ? 0 : writing + 1;
        }
        __syncthreads();
    }
};
