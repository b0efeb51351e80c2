// Matrix products: linear layers with their data and weight gradients, and general products.
//
//   gemm_nt     C [M, N] = alpha · A·Bᵀ + bias   A [M, K], B [N, K]: linear
//   gemm_nn     C [M, N] = alpha · A·B + bias    A [M, K], B [K, N]: its data gradient, convolution 1 x 1
//   gemm_tn     C [M, N] = alpha · Aᵀ·B          A [K, M], B [K, N] for each unit of samples: weight gradients
// each for the tiles and precisions of include/tile_shapes.cuh. Bfloat16 is rounded on the way from shared memory,
// which spares a pass over the factors; `packed_bf16` and, by warpgroups, `square_bf16` take factors that were rounded
// before, which pays where both are read many times.
//
// Launch contract: blocks of one dimension, a block per tile with the columns of tiles running fastest (consecutive
// blocks share rows of A in the L2 cache), and units slowest; threads and dynamic shared memory as Tile.java says. A
// and B are 16-byte aligned and their strides multiples of a vector of 16 bytes; an innermost extent that is none is
// padded with zeros (pack.cu). C has any alignment.
//
// Bytes: 4·(M·K + N·K + M·N), once each if a row of tiles stays in L2. FLOP: 2·M·N·K. Floors on an H200 for
// [65536, 128] x [128, 128]: 67 MB = 16 µs, 2.1 GFLOP = 36 µs in fp32 and 3 µs in bf16. The weight gradients of 256
// samples of 256 tokens of that layer read 67 MB and write 17 MB: 20 µs.
//
// Time on an NVIDIA H200 (2026-11-26) in bf16, by mma.sync and with every lane storing the pairs that it holds, µs
// (TFLOP/s):
//   [131072, 128] x [128, 128], gemm_nt    68 (63)      its per-sample gradients, 512 x 256 tokens, gemm_tn    84 (51)
//   [131072, 128] x [128, 512], gemm_nt   152 (113)     [8192, 8192] x [8192, 8192], packed_bf16            4154 (265)
// Since then finished sums pass through shared memory, as in convolution.cu, which has figures for both ways, and for
// warpgroups.
#include "tile_shapes.cuh"
#include "tile_sources.cuh"
#include "tile_store.cuh"
#include "tile_units.cuh"

namespace {

constexpr Layout kDeep = Layout::kDepthContiguous;
constexpr Layout kWide = Layout::kLineContiguous;

// The tile of this block, in a grid whose columns of tiles run fastest.
struct Place {
    int row;
    int column;

    template <class Sums>
    __device__ static __forceinline__ Place of(long long block, int columns) {
        const int across = (columns + Sums::kColumns - 1) / Sums::kColumns;
        const int down = static_cast<int>(block / across);
        return {down * Sums::kRows, static_cast<int>(block - static_cast<long long>(down) * across) * Sums::kColumns};
    }
};

// C = alpha · A·B + bias for one tile.
template <class Shape, Layout kLayoutB, class SourceA, class SourceB>
__device__ __forceinline__ void multiply(const SourceA& a, const SourceB& b, const Store& store,
                                         unsigned char* shared) {
    using Sums = typename Shape::template Sums<kDeep, kLayoutB>;
    const Place tile = Place::of<Sums>(blockIdx.x, store.columns);
    Sums sums;
    Shape::template Product<kDeep, kLayoutB>::multiply(a, tile.row, b, tile.column, a.depths, shared, sums);
    store_tile(sums, opaque(tile.row), opaque(tile.column), store, shared);
}

// The weight gradient of one unit, one tile of it.
template <class Shape, class T>
__device__ __forceinline__ void weight_gradient(const T* a, int stride_a, const T* b, int stride_b, int tokens,
                                                const Units& units, long long unit_stride, Store store,
                                                unsigned char* shared) {
    using Sums = typename Shape::template Sums<kWide, kWide>;
    const int tiles = ((store.rows + Sums::kRows - 1) / Sums::kRows) *
                      ((store.columns + Sums::kColumns - 1) / Sums::kColumns);
    const int unit = blockIdx.x / tiles;
    const Place tile = Place::of<Sums>(blockIdx.x % tiles, store.columns);
    store.first += unit * unit_stride;
    int sample = units.first_sample(unit);
    const int end = units.end_sample(unit);
    do {
        const int depth = max(0, min(units.samples_per_pass, end - sample)) * tokens;
        const long long token = static_cast<long long>(sample) * tokens;
        const MatrixColumns<T> source_a = {a + token * stride_a, stride_a, stride_a, depth};
        const MatrixColumns<T> source_b = {b + token * stride_b, stride_b, stride_b, depth};
        Sums sums;
        Shape::template Product<kWide, kWide>::multiply(source_a, tile.row, source_b, tile.column, depth, shared, sums);
        store_tile(sums, opaque(tile.row), opaque(tile.column), store, shared);
        __syncthreads();
        store.accumulate = true;
        sample += units.samples_per_pass;
    } while (sample < end);
}

}  // namespace

// Strides are also the padded extents of the axes they run over.
#define GEMM_KERNELS(Shape, T, suffix)                                                                                 \
    extern "C" __global__ __launch_bounds__(Shape::Sums<kDeep, kDeep>::kThreads, Shape::kBlocksPerMultiprocessor)      \
        void gemm_nt_##suffix(const T* a, const T* b, int stride, int rows, int columns, float alpha,                  \
                              const float* bias, int accumulate, float* c) {                                           \
        SHARED_SLABS(shared);                                                                                          \
        multiply<Shape, kDeep>(MatrixRows<T>{a, stride, rows, stride}, MatrixRows<T>{b, stride, columns, stride},     \
                               Store{c, columns, 1, rows, columns, alpha, bias, accumulate != 0, false}, shared);      \
    }                                                                                                                  \
    EXPORT_KERNEL(gemm_nt_##suffix)                                                                                    \
                                                                                                                       \
    extern "C" __global__ __launch_bounds__(Shape::Sums<kDeep, kWide>::kThreads, Shape::kBlocksPerMultiprocessor)      \
        void gemm_nn_##suffix(const T* a, int stride_a, const T* b, int stride_b, int rows, int columns,               \
                              int depth, float alpha, const float* bias, int accumulate, float* c) {                   \
        SHARED_SLABS(shared);                                                                                          \
        multiply<Shape, kWide>(MatrixRows<T>{a, stride_a, rows, stride_a},                                             \
                               MatrixColumns<T>{b, stride_b, stride_b, depth},                                         \
                               Store{c, columns, 1, rows, columns, alpha, bias, accumulate != 0, false}, shared);      \
    }                                                                                                                  \
    EXPORT_KERNEL(gemm_nn_##suffix)                                                                                    \
                                                                                                                       \
    extern "C" __global__ __launch_bounds__(Shape::Sums<kWide, kWide>::kThreads, Shape::kBlocksPerMultiprocessor)      \
        void gemm_tn_##suffix(const T* a, int stride_a, const T* b, int stride_b, int rows, int columns,               \
                              int tokens, int samples, int samples_per_row, int splits, int samples_per_pass,          \
                              float alpha, float* c, long long unit_stride, int row_stride, int column_stride,         \
                              int accumulate) {                                                                        \
        SHARED_SLABS(shared);                                                                                          \
        weight_gradient<Shape>(                                                                                        \
            a, stride_a, b, stride_b, tokens, Units{samples, samples_per_row, splits, samples_per_pass}, unit_stride,  \
            Store{c, row_stride, column_stride, rows, columns, alpha, nullptr, accumulate != 0, true}, shared);        \
    }                                                                                                                  \
    EXPORT_KERNEL(gemm_tn_##suffix)

GEMM_KERNELS(LargeFp32, float, large_fp32)
GEMM_KERNELS(MediumFp32, float, medium_fp32)
GEMM_KERNELS(ThinFp32, float, thin_fp32)
GEMM_KERNELS(LargeTf32, float, large_tf32)
GEMM_KERNELS(MediumTf32, float, medium_tf32)
GEMM_KERNELS(SmallTf32, float, small_tf32)
GEMM_KERNELS(ThinTf32, float, thin_tf32)
GEMM_KERNELS(LargeBf16Late, float, large_bf16)
GEMM_KERNELS(MediumBf16Late, float, medium_bf16)
GEMM_KERNELS(SmallBf16Late, float, small_bf16)
GEMM_KERNELS(ThinBf16Late, float, thin_bf16)
GEMM_KERNELS(LargeBf16, bfloat16, packed_bf16)
#if defined(SAPWOOD_WARPGROUPS)
GEMM_KERNELS(SquareBf16, bfloat16, square_bf16)
#endif
