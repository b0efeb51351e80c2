// Squared norms of per-example weight gradients that are never stored.
//
// The gradient of an example is G = Σ_t x_t dy_tᵀ over its N = K·T tokens: the T tokens of each of its K draws, which
// lie one after the other in memory. x_t are the p inputs of a token (for a convolution the k·k·Cin values that an
// output pixel sees, gathered on the way), dy_t its d output gradients. Draws are summed before the norm, as they must
// be.
//
//   ghost         ‖G‖² = Σ_{t,t'} (x_t·x_t')(dy_t·dy_t'): 2 N² (p + d) FLOP, half of them by symmetry
//   instantiated  tiles of G in registers, whose squares are all that leaves them: 2 N p d FLOP
//   bias          ‖Σ_t dy_t‖²
// The cheaper of the first two is chosen by org.sapwood.tensor.cuda.NormFlow.
//
// How far the norms can be off, with S = Σ_t ‖x_t‖‖dy_t‖ ≥ ‖G‖:
//   * Ghost is certified: products of two floats are exact in fp64, so what is left are the roundings of fp64 sums, at
//     most (p + d + terms) 2⁻⁵² S² in all. That bound is added, so the result is never below the norm of the real
//     gradient, and above it by at most twice the bound. In fp32 the error would be 2⁻²⁴ S²: where tokens cancel, S is
//     far larger than ‖G‖, and the norm can read a sixth too low.
//   * Instantiated is the norm, to fp64, of the float32 gradient that the same tile would store, every element of which
//     is one chain over ascending tokens. That gradient is within N 2⁻²³ S of the real one, and within 2⁻¹⁰ S more when
//     factors are rounded to TF32, 2⁻⁸ S to bfloat16.
//
// Launch: 256 threads unless said otherwise; a block per (example, part), partial sums in fp64 to [examples, parts],
// which per_sample_norm_total adds in a fixed order. Tiles and their order follow from the shape of the layer.
//
// Bytes: 4 N (p + d) per example for each row or column of tiles. FLOP for N = 784, p = 1152, d = 128: 0.23 GFLOP
// instantiated, 1.6 ghost; for N = 64, p = d = 512: 34 MFLOP instantiated, 8 ghost. Floor on an H200: 60 TFLOP/s in
// fp32 for instantiated, half of that in fp64 for ghost, which symmetry makes up for.

#include "sapwood.cuh"
#include "tile_shapes.cuh"
#include "tile_sources.cuh"

namespace {

constexpr int kThreads = 256;

// Tokens of the examples: rows of a matrix [tokens, extent].
struct Matrix {
    const float* first;
    int extent;

    using Token = const float*;

    __device__ __forceinline__ Token token(long long index) const {
        return first + index * extent;
    }
    __device__ __forceinline__ float at(Token token, int k) const {
        return token[k];
    }
};

// Tokens of a convolution: what each output pixel sees, [pixels, kernel · kernel · channels].
struct Seen {
    const float* first;
    int height;
    int width;
    int channels;
    int kernel;
    int stride;
    int pad;
    int out_height;
    int out_width;
    int extent;

    struct Token {
        const float* image;
        int y;
        int x;
    };

    __device__ __forceinline__ Token token(long long index) const {
        const long long row = index / out_width;
        const long long image = row / out_height;
        return {first + image * height * width * channels, static_cast<int>(row - image * out_height) * stride - pad,
                static_cast<int>(index - row * out_width) * stride - pad};
    }
    __device__ __forceinline__ float at(const Token& token, int k) const {
        const int tap = k / channels;
        const int y = token.y + tap / kernel;
        const int x = token.x + tap % kernel;
        const bool inside = y >= 0 && y < height && x >= 0 && x < width;
        return inside ? token.image[(static_cast<long long>(y) * width + x) * channels + k - tap * channels] : 0.0f;
    }
};

// How many samples make up an example, and of how many tokens.
struct Examples {
    int samples;
    int samples_per_row;
    int tokens;

    __device__ __forceinline__ long long first_token(int row) const {
        return static_cast<long long>(row) * samples_per_row * tokens;
    }
    __device__ __forceinline__ int count(int row) const {
        return min(samples_per_row, samples - row * samples_per_row) * tokens;
    }
};

// ---- ghost --------------------------------------------------------------------------------------------------------

// Inner products of two sets of kTokens tokens each, in fp64. A thread owns kOwn x kOwn of them: tokens place, place +
// across, … of each set.
template <int kTokens, int kOwn>
struct Gram {
    static constexpr int kAcross = kTokens / kOwn;
    static constexpr int kDepth = 1024 / kTokens;  // a slab is 1024 values
    static constexpr int kLoads = 1024 / kThreads;
    static constexpr int kPitch = kDepth + 1;
    static_assert(kAcross * kAcross == kThreads, "a thread for each square of products");

    double values[kOwn][kOwn];

    template <class Source>
    __device__ __forceinline__ void compute(const Source& source, long long first, int left_from, int right_from,
                                            int count, double* left, double* right) {
        const int depth = threadIdx.x % kDepth;
        const int place = threadIdx.x / kDepth;
        typename Source::Token tokens[2][kLoads];
        bool inside[2][kLoads];
#pragma unroll
        for (int i = 0; i < kLoads; ++i) {
            const int offset = place + i * (kThreads / kDepth);
            inside[0][i] = left_from + offset < count;
            inside[1][i] = right_from + offset < count;
            tokens[0][i] = source.token(first + (inside[0][i] ? left_from + offset : 0));
            tokens[1][i] = source.token(first + (inside[1][i] ? right_from + offset : 0));
        }
#pragma unroll
        for (int i = 0; i < kOwn; ++i) {
#pragma unroll
            for (int j = 0; j < kOwn; ++j) {
                values[i][j] = 0;
            }
        }
        const int row = threadIdx.x / kAcross;
        const int column = threadIdx.x % kAcross;
        for (int k = 0; k < source.extent; k += kDepth) {
            const bool within = k + depth < source.extent;
            float loaded[2][kLoads];
#pragma unroll
            for (int i = 0; i < kLoads; ++i) {
                loaded[0][i] = within && inside[0][i] ? source.at(tokens[0][i], k + depth) : 0.0f;
                loaded[1][i] = within && inside[1][i] ? source.at(tokens[1][i], k + depth) : 0.0f;
            }
            __syncthreads();
#pragma unroll
            for (int i = 0; i < kLoads; ++i) {
                const int at = (place + i * (kThreads / kDepth)) * kPitch + depth;
                left[at] = static_cast<double>(loaded[0][i]);
                right[at] = static_cast<double>(loaded[1][i]);
            }
            __syncthreads();
#pragma unroll 4
            for (int d = 0; d < kDepth; ++d) {
                double a[kOwn];
                double b[kOwn];
#pragma unroll
                for (int i = 0; i < kOwn; ++i) {
                    a[i] = left[(row + i * kAcross) * kPitch + d];
                    b[i] = right[(column + i * kAcross) * kPitch + d];
                }
#pragma unroll
                for (int i = 0; i < kOwn; ++i) {
#pragma unroll
                    for (int j = 0; j < kOwn; ++j) {
                        values[i][j] = __fma_rn(a[i], b[j], values[i][j]);
                    }
                }
            }
        }
    }
};

// One pair of token tiles, left ≤ right. Pairs off the diagonal stand for both orders; those on it also give their part
// of S.
template <int kTokens, int kOwn, class Source>
__device__ __forceinline__ void ghost(const Source& x, const Matrix& dy, const Examples& examples, int tiles, int pairs,
                                      double* partials, double* spreads) {
    using Products = Gram<kTokens, kOwn>;
    __shared__ double left[kTokens * Products::kPitch];
    __shared__ double right[kTokens * Products::kPitch];
    __shared__ double scratch[kWarp];
    const int example = blockIdx.x / pairs;
    int right_tile = blockIdx.x % pairs;
    int left_tile = 0;
    while (right_tile >= tiles - left_tile) {
        right_tile -= tiles - left_tile;
        ++left_tile;
    }
    right_tile += left_tile;
    const bool diagonal = left_tile == right_tile;
    const long long first = examples.first_token(example);
    const int count = examples.count(example);
    Products inputs;
    Products gradients;
    inputs.compute(x, first, left_tile * kTokens, right_tile * kTokens, count, left, right);
    gradients.compute(dy, first, left_tile * kTokens, right_tile * kTokens, count, left, right);
    double sum = 0;
    double spread = 0;
    const bool mine = threadIdx.x / Products::kAcross == threadIdx.x % Products::kAcross;
#pragma unroll
    for (int i = 0; i < kOwn; ++i) {
#pragma unroll
        for (int j = 0; j < kOwn; ++j) {
            const double product = __dmul_rn(inputs.values[i][j], gradients.values[i][j]);
            sum += product;
            if (i == j && diagonal && mine) {
                spread += __dsqrt_rn(product);
            }
        }
    }
    sum = block_sum(sum, scratch);
    if (threadIdx.x == 0) {
        partials[blockIdx.x] = diagonal ? sum : 2 * sum;
    }
    if (diagonal) {
        spread = block_sum(spread, scratch);
        if (threadIdx.x == 0) {
            spreads[static_cast<long long>(example) * tiles + left_tile] = spread;
        }
    }
}

// ---- instantiated -------------------------------------------------------------------------------------------------

// The squares of one tile of G [inputs, outputs].
template <class Shape, class SourceA, class SourceB>
__device__ __forceinline__ void instantiate(const SourceA& a, int inputs, const SourceB& b, int outputs, int tiles,
                                            int depth, double* partials) {
    SHARED_DYNAMIC(shared);
    __shared__ double scratch[kWarp];
    constexpr Layout kWide = Layout::kLineContiguous;
    using Sums = typename Shape::template Sums<kWide, kWide>;
    const int across = (outputs + Sums::kColumns - 1) / Sums::kColumns;
    const int tile_row = blockIdx.x % tiles / across * Sums::kRows;
    const int tile_column = blockIdx.x % tiles % across * Sums::kColumns;
    Sums sums;
    Shape::template Product<kWide, kWide>::multiply(a, tile_row, b, tile_column, depth, shared, sums);
    double squares = 0;
    const int first_row = opaque(tile_row);
    const int first_column = opaque(tile_column);
    sums.each_run([&](int row, int column, const auto& run) {
        // What of a run lies beyond the edge is zero. The branch also keeps the compiler from converting all sums at
        // once, for which there are no registers.
        if (first_row + row < inputs && first_column + column < outputs) {
            for (const float value : run) {
                squares = __fma_rn(static_cast<double>(value), static_cast<double>(value), squares);
            }
        }
    });
    squares = block_sum(squares, scratch);
    if (threadIdx.x == 0) {
        partials[blockIdx.x] = squares;
    }
}

__device__ __forceinline__ MatrixColumns<float> columns_of(const float* first, int extent, const Examples& examples,
                                                           int example) {
    return {first + examples.first_token(example) * extent, extent, extent, examples.count(example)};
}

__device__ __forceinline__ PatchColumns<float> patches_of(const Seen& x, const Examples& examples, int example) {
    PatchColumns<float> patches;
    const long long first_sample = static_cast<long long>(example) * examples.samples_per_row;
    patches.images = x.first + first_sample * x.height * x.width * x.channels;
    patches.height = x.height;
    patches.width = x.width;
    patches.channels = x.channels;
    patches.kernel = x.kernel;
    patches.result_height = x.out_height;
    patches.result_width = x.out_width;
    patches.results = examples.count(example);
    patches.scale = x.stride;
    patches.shift = -x.pad;
    patches.sign = 1;
    patches.divisor = 1;
    return patches;
}

}  // namespace

#define LINEAR_ARGUMENTS \
    const float *x, int inputs, const float *dy, int outputs, int samples, int samples_per_row, int tokens
#define LINEAR_SOURCE Matrix{x, inputs}
#define CONVOLUTION_ARGUMENTS                                                                                       \
    const float *x, int height, int width, int channels, int kernel, int stride, int pad, int out_height,           \
        int out_width, const float *dy, int outputs, int samples, int samples_per_row
#define CONVOLUTION_SOURCE                                                                                          \
    Seen{x, height, width, channels, kernel, stride, pad, out_height, out_width, kernel * kernel * channels}

#define GHOST_KERNELS(suffix, kTokens, kOwn)                                                                        \
    extern "C" __global__ void __launch_bounds__(kThreads) per_sample_norm_ghost_linear_##suffix(                   \
        LINEAR_ARGUMENTS, int tiles, int pairs, double* partials, double* spreads) {                                \
        ghost<kTokens, kOwn>(LINEAR_SOURCE, Matrix{dy, outputs}, Examples{samples, samples_per_row, tokens}, tiles, \
                             pairs, partials, spreads);                                                             \
    }                                                                                                               \
    EXPORT_KERNEL(per_sample_norm_ghost_linear_##suffix)                                                            \
    extern "C" __global__ void __launch_bounds__(kThreads) per_sample_norm_ghost_convolution_##suffix(              \
        CONVOLUTION_ARGUMENTS, int tiles, int pairs, double* partials, double* spreads) {                           \
        ghost<kTokens, kOwn>(CONVOLUTION_SOURCE, Matrix{dy, outputs},                                               \
                             Examples{samples, samples_per_row, out_height * out_width}, tiles, pairs, partials,    \
                             spreads);                                                                              \
    }                                                                                                               \
    EXPORT_KERNEL(per_sample_norm_ghost_convolution_##suffix)

// Tiles of 64 tokens, or of 16 for examples that have no more.
GHOST_KERNELS(64, 64, 4)
GHOST_KERNELS(16, 16, 1)

// Rows of G are the inputs, columns the output gradients. Threads and shared memory are those of the tile; factors are
// aligned and their extents padded with zeros to multiples of four (pack.cu).
#define TILE_KERNELS(Shape, suffix)                                                                                 \
    extern "C" __global__ void __launch_bounds__(                                                                   \
        Shape::Sums<Layout::kLineContiguous, Layout::kLineContiguous>::kThreads, Shape::kBlocksPerMultiprocessor)   \
        per_sample_norm_linear_##suffix(LINEAR_ARGUMENTS, int tiles, double* partials) {                            \
        const Examples examples = {samples, samples_per_row, tokens};                                               \
        const int example = blockIdx.x / tiles;                                                                     \
        instantiate<Shape>(columns_of(x, inputs, examples, example), inputs,                                        \
                           columns_of(dy, outputs, examples, example), outputs, tiles, examples.count(example),     \
                           partials);                                                                               \
    }                                                                                                               \
    EXPORT_KERNEL(per_sample_norm_linear_##suffix)                                                                  \
    extern "C" __global__ void __launch_bounds__(                                                                   \
        Shape::Sums<Layout::kLineContiguous, Layout::kLineContiguous>::kThreads, Shape::kBlocksPerMultiprocessor)   \
        per_sample_norm_convolution_##suffix(CONVOLUTION_ARGUMENTS, int tiles, double* partials) {                  \
        const Examples examples = {samples, samples_per_row, out_height * out_width};                               \
        const int example = blockIdx.x / tiles;                                                                     \
        instantiate<Shape>(patches_of(CONVOLUTION_SOURCE, examples, example), kernel * kernel * channels,           \
                           columns_of(dy, outputs, examples, example), outputs, tiles, examples.count(example),     \
                           partials);                                                                               \
    }                                                                                                               \
    EXPORT_KERNEL(per_sample_norm_convolution_##suffix)

TILE_KERNELS(LargeFp32, large_fp32)
TILE_KERNELS(MediumFp32, medium_fp32)
TILE_KERNELS(ThinFp32, thin_fp32)
TILE_KERNELS(LargeTf32, large_tf32)
TILE_KERNELS(MediumTf32, medium_tf32)
TILE_KERNELS(SmallTf32, small_tf32)
TILE_KERNELS(ThinTf32, thin_tf32)
TILE_KERNELS(LargeBf16Late, large_bf16)
TILE_KERNELS(MediumBf16Late, medium_bf16)
TILE_KERNELS(SmallBf16Late, small_bf16)
TILE_KERNELS(ThinBf16Late, thin_bf16)

// ‖Σ_t dy_t‖² over `width` channels, a power of two and at most 32; the 256 / width slices of the block take every so
// manyth token. Blocks (example, channels / width).
extern "C" __global__ void __launch_bounds__(kThreads) per_sample_norm_bias(
    const float* dy, int channels, int samples, int samples_per_row, int tokens, int width, int parts,
    double* partials) {
    __shared__ double sums[kThreads];
    __shared__ double scratch[kWarp];
    const Examples examples = {samples, samples_per_row, tokens};
    const int example = blockIdx.x / parts;
    const int channel = blockIdx.x % parts * width + threadIdx.x % width;
    const int slices = kThreads / width;
    const int slice = threadIdx.x / width;
    const int count = channel < channels ? examples.count(example) : 0;
    const float* first = dy + examples.first_token(example) * channels + channel;
    double sum = 0;
    for (int token = slice; token < count; token += slices) {
        sum += static_cast<double>(first[static_cast<long long>(token) * channels]);
    }
    sums[threadIdx.x] = sum;
    for (int half = slices / 2; half > 0; half /= 2) {
        __syncthreads();
        if (slice < half) {
            sums[threadIdx.x] += sums[threadIdx.x + half * width];
        }
    }
    const double total = slice == 0 ? sums[threadIdx.x] : 0;
    const double squares = block_sum(total * total, scratch);
    if (threadIdx.x == 0) {
        partials[blockIdx.x] = squares;
    }
}
EXPORT_KERNEL(per_sample_norm_bias)

// norms[example] += scale · (Σ partials + margin · (Σ spreads)²), a block of one warp per example.
extern "C" __global__ void __launch_bounds__(kWarp) per_sample_norm_total(
    const double* partials, int parts, const double* spreads, int spread_parts, double margin, double scale,
    double* norms) {
    double sum = 0;
    double spread = 0;
    for (int i = threadIdx.x; i < parts; i += kWarp) {
        sum += partials[static_cast<long long>(blockIdx.x) * parts + i];
    }
    for (int i = threadIdx.x; i < spread_parts; i += kWarp) {
        spread += spreads[static_cast<long long>(blockIdx.x) * spread_parts + i];
    }
    sum = warp_sum(sum);
    spread = warp_sum(spread);
    if (threadIdx.x == 0) {
        norms[blockIdx.x] += scale * (sum + margin * (spread * spread));
    }
}
EXPORT_KERNEL(per_sample_norm_total)

// One norm per row as float32, in a column of a matrix.
extern "C" __global__ void per_sample_norm_store(const double* norms, int rows, float* column, int stride) {
    const int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row < rows) {
        column[static_cast<long long>(row) * stride] = static_cast<float>(norms[row]);
    }
}
EXPORT_KERNEL(per_sample_norm_store)
