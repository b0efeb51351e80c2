// Convolutions as products with the patches of images (implicit GEMM): nothing of the size of the patches is stored.
//
//   convolution_patches     result [pixels, N] = patches [pixels, k·k·C] · weights [k·k·C, N] + bias. Forward with the
//                           images x and the weights as they are; the data gradient with the images dy, the weights of
//                           each tap transposed, and the taps running backwards.
//   convolution_gradient    for each unit of samples, gradient [k·k·C, N] = patches of xᵀ · dy
// both for the tiles and precisions of include/tile_shapes.cuh, where those of warpgroups, `slim` and `square`, stand
// beside the ones that were slower.
//
// Launch contract: blocks of one dimension, a block per tile with the columns of tiles running fastest, units slowest;
// threads and dynamic shared memory as Tile.java says. Images, weights and dy are 16-byte aligned and their innermost
// extents whole vectors of 16 bytes (4 floats, 8 bfloat16), if need be by padding with zeros (pack.cu). Results have
// any alignment. Depth runs over taps, slowest, and channels; a pixel outside its image is not read but replaced by
// zeros.
//
// FLOP: 2 · pixels · k·k·C · N. Bytes: the images and the result once, the weights once, if the patches of a tile
// overlap in L1 and L2. Floors on an H200 for 256 images [32·32, 128], k = 3, N = 128: 77 GFLOP = 1.29 ms in fp32,
// 98 µs in bf16; 268 MB = 62 µs. The per-sample gradients of 256 samples for k = 3, C = N = 128 at 16 x 16 pixels:
// 19 GFLOP = 24 µs in bf16, but 151 MB to write = 35 µs.
//
// Versions in bf16, time on an NVIDIA H200 (2026-11-26) for 512 images, k = 3, in µs (TFLOP/s). The first multiplied by
// mma.sync and stored from every lane the pairs that it holds; the second passes finished sums through shared memory
// and stores whole rows; the third multiplies by warpgroups. The first figures include rounding the factors (pack.cu),
// the others are of these kernels alone.
//
//                                        direct       staged       warpgroups
//   32 x 32,  64 ->  64   forward        282 (137)    209 (185)    166 (234)
//                         gradients      314 (123)    206 (188)    165 (235)
//   32 x 32, 192 ->  64   forward        703 (165)    533 (218)    407 (285)
//                         gradients      768 (151)    552 (210)    444 (261)
//   16 x 16, 128 -> 128   forward        201 (193)    158 (245)    105 (367)
//                         gradients      603  (64)    247 (157)    165 (234)
//   16 x 16, 256 -> 128   forward        351 (220)    281 (275)    187 (414)
//    8 x  8, 128 -> 128   forward         55 (178)     41 (233)     29 (337)
//                         gradients      415  (23)    159  (61)    119  (81)
//    8 x  8, 256 -> 128   forward         93 (207)     72 (268)     50 (389)
// Without the rounding, direct stores took 209 µs in the fifth line and 565 in the sixth. Only to fill the 302 MB of
// the gradients of 128 -> 128 takes 76 µs. Rows of gradients that begin between two vectors of 16 bytes cost 5 to 30 %
// more.
#include "tile_shapes.cuh"
#include "tile_sources.cuh"
#include "tile_store.cuh"
#include "tile_units.cuh"

namespace {

constexpr Layout kDeep = Layout::kDepthContiguous;
constexpr Layout kWide = Layout::kLineContiguous;

template <class Shape>
__device__ __forceinline__ void patches(const PatchRows<typename Shape::template Sums<kDeep, kWide>::Element>& images,
                                        const typename Shape::template Sums<kDeep, kWide>::Element* weights, int stride,
                                        const Store& store, unsigned char* shared) {
    using Sums = typename Shape::template Sums<kDeep, kWide>;
    const int across = (store.columns + Sums::kColumns - 1) / Sums::kColumns;
    const int first_row = static_cast<int>(blockIdx.x / across) * Sums::kRows;
    const int first_column = static_cast<int>(blockIdx.x % across) * Sums::kColumns;
    const int depth = images.kernel * images.kernel * images.channels;
    const MatrixColumns<typename Sums::Element> b = {weights, stride, stride, depth};
    Sums sums;
    Shape::template Product<kDeep, kWide>::multiply(images, first_row, b, first_column, depth, shared, sums);
    store_tile(sums, first_row, first_column, store, shared);
}

// Stores rows of the gradient, whose channels may be padded.
struct StoreTaps {
    Store store;
    int channels;
    int padded_channels;

    template <int kRun>
    __device__ __forceinline__ void operator()(int row, int column, const float (&sums)[kRun]) const {
        if (channels == padded_channels) {
            store(row, column, sums);
            return;
        }
        const int tap = row / padded_channels;
        const int channel = row - tap * padded_channels;
        if (channel < channels) {
            store(tap * channels + channel, column, sums);
        }
    }

    __device__ __forceinline__ bool is_by_rows() const {
        return store.is_by_rows();
    }
    __device__ __forceinline__ bool is_by_vectors() const {
        return store.is_by_vectors();
    }
};

template <class Shape>
__device__ __forceinline__ void gradient(PatchColumns<typename Shape::template Sums<kWide, kWide>::Element> images,
                                         const typename Shape::template Sums<kWide, kWide>::Element* dy, int stride,
                                         const Units& units, long long unit_stride, StoreTaps target,
                                         unsigned char* shared) {
    using Sums = typename Shape::template Sums<kWide, kWide>;
    const int rows = images.kernel * images.kernel * images.channels;
    const int across = (target.store.columns + Sums::kColumns - 1) / Sums::kColumns;
    const int tiles = (rows + Sums::kRows - 1) / Sums::kRows * across;
    const int unit = static_cast<int>(blockIdx.x) / tiles;
    const int tile = static_cast<int>(blockIdx.x) % tiles;
    const int first_row = tile / across * Sums::kRows;
    const int first_column = tile % across * Sums::kColumns;
    const int pixels = images.result_height * images.result_width;
    const auto* const all_images = images.images;
    target.store.first += unit * unit_stride;
    int sample = units.first_sample(unit);
    const int end = units.end_sample(unit);
    do {
        const int depth = max(0, min(units.samples_per_pass, end - sample)) * pixels;
        images.images = all_images + static_cast<long long>(sample) * images.height * images.width * images.channels;
        images.results = depth;
        const MatrixColumns<typename Sums::Element> b = {dy + static_cast<long long>(sample) * pixels * stride, stride,
                                                         stride, depth};
        Sums sums;
        Shape::template Product<kWide, kWide>::multiply(images, first_row, b, first_column, depth, shared, sums);
        store_tile(sums, opaque(first_row), opaque(first_column), target, shared);
        __syncthreads();
        target.store.accumulate = true;
        sample += units.samples_per_pass;
    } while (sample < end);
}

}  // namespace

// `stride` is the padded number of columns of the weights or of dy, `channels` the padded one of the images.
#define CONVOLUTION_KERNELS(Shape, T, suffix)                                                                          \
    extern "C" __global__ __launch_bounds__(Shape::Sums<kDeep, kWide>::kThreads, Shape::kBlocksPerMultiprocessor)      \
        void convolution_patches_##suffix(const T* images, int height, int width, int channels, int kernel,            \
                                          int result_height, int result_width, int results, int scale, int shift,      \
                                          int sign, int divisor, const T* weights, int stride, int columns,            \
                                          const float* bias, int accumulate, float* result) {                          \
        SHARED_SLABS(shared);                                                                                          \
        patches<Shape>(PatchRows<T>{{images, height, width, channels, kernel, result_height, result_width, results,    \
                                     scale, shift, sign, divisor}},                                                    \
                       weights, stride, Store{result, columns, 1, results, columns, 1, bias, accumulate != 0, false},  \
                       shared);                                                                                        \
    }                                                                                                                  \
    EXPORT_KERNEL(convolution_patches_##suffix)                                                                        \
                                                                                                                       \
    extern "C" __global__ __launch_bounds__(Shape::Sums<kWide, kWide>::kThreads, Shape::kBlocksPerMultiprocessor)      \
        void convolution_gradient_##suffix(const T* images, int height, int width, int channels, int kernel,           \
                                           int result_height, int result_width, int scale, int shift, const T* dy,     \
                                           int stride, int samples, int samples_per_row, int splits,                   \
                                           int samples_per_pass, float* target, long long unit_stride,                 \
                                           int unpadded_channels, int columns, int accumulate) {                       \
        SHARED_SLABS(shared);                                                                                          \
        const int rows = kernel * kernel * unpadded_channels;                                                          \
        gradient<Shape>(                                                                                               \
            PatchColumns<T>{{images, height, width, channels, kernel, result_height, result_width, 0, scale, shift, 1, \
                             1}},                                                                                      \
            dy, stride, Units{samples, samples_per_row, splits, samples_per_pass}, unit_stride,                        \
            StoreTaps{{target, columns, 1, rows, columns, 1, nullptr, accumulate != 0, true}, unpadded_channels,       \
                      channels},                                                                               \
            shared);                                                                                                   \
    }                                                                                                                  \
    EXPORT_KERNEL(convolution_gradient_##suffix)

CONVOLUTION_KERNELS(LargeFp32, float, large_fp32)
CONVOLUTION_KERNELS(MediumFp32, float, medium_fp32)
CONVOLUTION_KERNELS(ThinFp32, float, thin_fp32)
CONVOLUTION_KERNELS(LargeTf32, float, large_tf32)
CONVOLUTION_KERNELS(MediumTf32, float, medium_tf32)
CONVOLUTION_KERNELS(SmallTf32, float, small_tf32)
CONVOLUTION_KERNELS(ThinTf32, float, thin_tf32)
CONVOLUTION_KERNELS(LargeBf16, bfloat16, large_bf16)
CONVOLUTION_KERNELS(MediumBf16, bfloat16, medium_bf16)
CONVOLUTION_KERNELS(SmallBf16, bfloat16, small_bf16)
CONVOLUTION_KERNELS(ThinBf16, bfloat16, thin_bf16)
#if defined(SAPWOOD_WARPGROUPS)
CONVOLUTION_KERNELS(SquareBf16, bfloat16, square_bf16)
CONVOLUTION_KERNELS(SlimBf16, bfloat16, slim_bf16)
#endif
