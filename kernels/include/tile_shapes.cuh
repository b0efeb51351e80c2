// The tiles that kernels are compiled for, by shape and precision; org.sapwood.tensor.cuda.Tile lists the same ones,
// under the same names, and chooses among them.
//
//   name of the precision   factors in shared memory   rounded to
//   fp32                    float                      (not rounded)
//   tf32                    float                      TF32, on the way to the multiplication
//   bf16                    bfloat16                   bfloat16, before (pack.cu)
//   bf16 late               float                      bfloat16, on the way to the multiplication
//
// Square and slim ones, for more than 64 and up to 64 columns, are multiplied by warpgroups and are in the code for
// compute capability 9.0 alone. Time on an NVIDIA H200 (2026-11-26) of convolutions of 512 images in µs (TFLOP/s),
// forward and the per-sample gradients, by warps (the best of large and medium) and by warpgroups of these and of
// further shapes, which are gone:
//
//   pixels, channels         warps       128 x 128   128 x 64    256 x 128   128 x 256   256 x 64
//   32 x 32,  64 ->  64      209 (185)               166 (234)                           226 (171)
//     gradients              206 (188)               165 (235)                           246 (157)
//   32 x 32, 192 ->  64      533 (218)               407 (285)                           500 (232)
//     gradients              552 (210)               444 (261)                           574 (202)
//   16 x 16, 128 -> 128      158 (245)   105 (367)               119 (325)   198 (196)
//     gradients              246 (157)   165 (234)   211 (184)   224 (172)   377 (103)   319 (121)
//    8 x  8, 128 -> 256       82 (237)    54 (356)                60 (321)    51 (376)
//     gradients              310  (62)   226  (86)               317  (61)   289  (67)
//
// The best shapes are those of which several blocks fit on a multiprocessor, 2 of 128 x 128 or 3 of 128 x 64, with
// three slabs each. A block finishes a slab before it starts the next. Two under way, which leaves one slab less to
// copy ahead or room for one block less, took 112 µs instead of 105 in the fifth line and 177 instead of 166 in the
// first.
#pragma once

#include "tile_ffma.cuh"
#include "tile_mma.cuh"
#include "tile_warpgroup.cuh"

// LargeFp32::Product<layout of A, layout of B>, and so on.
#define TILE_SHAPE(Name, Arithmetic, kStages_, kBlocksPerMultiprocessor_, ...)          \
    struct Name {                                                                       \
        static constexpr int kBlocksPerMultiprocessor = kBlocksPerMultiprocessor_;      \
        template <Layout kA, Layout kB>                                                 \
        using Sums = Arithmetic<__VA_ARGS__, kA, kB>;                                   \
        template <Layout kA, Layout kB>                                                 \
        using Product = TileProduct<Sums<kA, kB>, kStages_>;                            \
    };

TILE_SHAPE(LargeFp32, FfmaTile, 3, 2, 128, 128, 8, 8)
TILE_SHAPE(MediumFp32, FfmaTile, 3, 6, 64, 64, 8, 8)
TILE_SHAPE(ThinFp32, FfmaTile, 3, 8, 64, 16, 8, 4)

TILE_SHAPE(LargeTf32, MmaTile, 4, 2, float, Factor::kTf32, 128, 128, 64, 64)
TILE_SHAPE(MediumTf32, MmaTile, 4, 3, float, Factor::kTf32, 128, 64, 64, 32)
TILE_SHAPE(SmallTf32, MmaTile, 4, 4, float, Factor::kTf32, 64, 64, 32, 32)
TILE_SHAPE(ThinTf32, MmaTile, 4, 4, float, Factor::kTf32, 128, 32, 32, 32)

TILE_SHAPE(LargeBf16, MmaTile, 4, 2, bfloat16, Factor::kBfloat16, 128, 128, 64, 64)
TILE_SHAPE(MediumBf16, MmaTile, 4, 3, bfloat16, Factor::kBfloat16, 128, 64, 64, 32)
TILE_SHAPE(SmallBf16, MmaTile, 4, 4, bfloat16, Factor::kBfloat16, 64, 64, 32, 32)
TILE_SHAPE(ThinBf16, MmaTile, 4, 4, bfloat16, Factor::kBfloat16, 128, 32, 32, 32)

TILE_SHAPE(LargeBf16Late, MmaTile, 4, 2, float, Factor::kBfloat16, 128, 128, 64, 64)
TILE_SHAPE(MediumBf16Late, MmaTile, 4, 3, float, Factor::kBfloat16, 128, 64, 64, 32)
TILE_SHAPE(SmallBf16Late, MmaTile, 4, 4, float, Factor::kBfloat16, 64, 64, 32, 32)
TILE_SHAPE(ThinBf16Late, MmaTile, 4, 4, float, Factor::kBfloat16, 128, 32, 32, 32)

#undef TILE_SHAPE

#if defined(SAPWOOD_WARPGROUPS)
#define WARPGROUP_SHAPE(Name, kStages_, kBlocksPerMultiprocessor_, ...)                 \
    struct Name {                                                                       \
        static constexpr int kBlocksPerMultiprocessor = kBlocksPerMultiprocessor_;      \
        template <Layout kA, Layout kB>                                                 \
        using Sums = WarpgroupTile<__VA_ARGS__, kA, kB>;                                \
        template <Layout kA, Layout kB>                                                 \
        using Product = WarpgroupProduct<Sums<kA, kB>, kStages_>;                       \
    };

WARPGROUP_SHAPE(SquareBf16, 3, 2, 128, 128)
WARPGROUP_SHAPE(SlimBf16, 3, 3, 128, 64)

#undef WARPGROUP_SHAPE
#endif
