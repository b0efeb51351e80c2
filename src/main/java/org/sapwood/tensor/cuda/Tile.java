package org.sapwood.tensor.cuda;

import java.util.List;

/**
 * A tile of a matrix product, the work of one block: the counterpart of {@code kernels/include/tile_shapes.cuh}. Which
 * one of a kind is chosen changes the speed, never a bit of the result.
 *
 * @param name part of the names of kernels
 * @param rows of the product
 * @param columns of the product
 * @param threads of a block
 * @param stages slabs of the factors in shared memory at a time
 * @param penalty time for an element of this tile, in units of that for an element of the largest
 * @param kind what multiplies
 */
record Tile(String name, int rows, int columns, int threads, int stages, double penalty, Kind kind) {
    /** Along which axis a factor is contiguous: the depth of the product, or its lines. */
    enum Layout {
        DEEP,
        WIDE
    }

    /** What multiplies, which decides how slabs stand in shared memory. */
    enum Kind {
        /** Single threads or warps. */
        WARPS,
        /** Groups of four warps, on devices of compute capability 9.0 with factors in bfloat16. */
        WARPGROUPS
    }

    /** Whether warpgroups multiply where the device has them. They do, except in tests of what other devices do. */
    static final ScopedValue<Boolean> WARPGROUPS = ScopedValue.newInstance();

    private static final List<Tile> FP32 = List.of(
            warps("large_fp32", 128, 128, 256, 3, 1),
            warps("medium_fp32", 64, 64, 64, 3, 1.1),
            warps("thin_fp32", 64, 16, 32, 3, 1.6));

    /** For products of factors in bfloat16, where other tiles of this precision take float32. */
    private static final Tile PACKED_BF16 = warps("packed_bf16", 128, 128, 128, 4, 1);

    private static final List<Tile> TF32 = tensorCores(Precision.TF32);
    private static final List<Tile> BF16 = tensorCores(Precision.BF16);

    private static final Tile SLIM_BF16 = warpgroups("slim_bf16", 128, 64);
    private static final Tile SQUARE_BF16 = warpgroups("square_bf16", 128, 128);

    /** Up to so many columns, most of a slim tile would be idle. */
    private static final int NARROW = 32;

    /** The compute capability that has warpgroups; later ones have other means. */
    private static final int WARPGROUP_CAPABILITY = 90;

    /** Bytes of depth of a slab. */
    private static final int SLAB_BYTES = 64;

    private static final int WARPGROUP_SLAB_BYTES = 128;

    private static final int VECTOR_BYTES = 16;

    /** Multiprocessors of the device that tiles are chosen for, whatever the device. */
    private static final int MULTIPROCESSORS = 132;

    /** Time that a block waits when it is alone, in units of its work. */
    private static final double WAITING = 0.5;

    private static List<Tile> tensorCores(Precision precision) {
        String suffix = "_" + precision.suffix();
        return List.of(
                warps("large" + suffix, 128, 128, 128, 4, 1),
                warps("medium" + suffix, 128, 64, 128, 4, 1.15),
                warps("small" + suffix, 64, 64, 128, 4, 1.4),
                warps("thin" + suffix, 128, 32, 128, 4, 1.5));
    }

    private static Tile warps(String name, int rows, int columns, int threads, int stages, double penalty) {
        return new Tile(name, rows, columns, threads, stages, penalty, Kind.WARPS);
    }

    private static Tile warpgroups(String name, int rows, int columns) {
        return new Tile(name, rows, columns, 256, 3, 1, Kind.WARPGROUPS);
    }

    /** Whether warpgroups can multiply in a stream: its factors are bfloat16, and its device has them. */
    static boolean hasWarpgroups(CudaStream stream) {
        return stream.precision() == Precision.BF16
                && stream.device().computeCapability() == WARPGROUP_CAPABILITY
                && WARPGROUPS.orElse(true);
    }

    /**
     * The tile that takes least time for {@code products} products of the given size, of those that convolutions of the
     * stream's precision have kernels for. Whether warpgroups multiply follows from the columns alone: their bits may
     * be others than those of warps, and the columns do not change with the batch.
     */
    static Tile choose(CudaStream stream, int rows, int columns, long products) {
        if (!hasWarpgroups(stream) || columns <= NARROW) {
            return choose(stream.precision(), rows, columns, products);
        }
        return columns <= SLIM_BF16.columns ? SLIM_BF16 : SQUARE_BF16;
    }

    /** The tile for products of factors that were rounded to bfloat16. */
    static Tile packed(boolean byWarpgroups) {
        return byWarpgroups ? SQUARE_BF16 : PACKED_BF16;
    }

    /** The tile of warps that takes least time for {@code products} products of the given size. */
    static Tile choose(Precision precision, int rows, int columns, long products) {
        List<Tile> tiles = switch (precision) {
            case FP32 -> FP32;
            case TF32 -> TF32;
            case BF16 -> BF16;
        };
        Tile best = tiles.getFirst();
        double bestTime = Double.MAX_VALUE;
        for (Tile tile : tiles) {
            double blocks = (double) tile.count(rows, columns) * products / MULTIPROCESSORS;
            // While a block has a multiprocessor for itself, nothing hides its waiting.
            double alone = Math.clamp(2 - blocks, 0, 1);
            double time = (Math.max(1, blocks) + WAITING * alone) * tile.rows * tile.columns * tile.penalty;
            if (time < bestTime) {
                best = tile;
                bestTime = time;
            }
        }
        return best;
    }

    /** Tiles that cover a matrix. */
    int count(int matrixRows, int matrixColumns) {
        return Math.toIntExact((long) Math.ceilDiv(matrixRows, rows) * Math.ceilDiv(matrixColumns, columns));
    }

    /** Dynamic shared memory of a block. */
    int sharedBytes(Layout a, Layout b, int elementBytes) {
        return stages * (slabBytes(rows, a, elementBytes) + slabBytes(columns, b, elementBytes));
    }

    /** Of {@code SharedSlab} in {@code tile.cuh} or {@code WarpgroupSlab} in {@code warpgroup.cuh}. */
    private int slabBytes(int lines, Layout layout, int elementBytes) {
        if (kind == Kind.WARPGROUPS) {
            return lines * WARPGROUP_SLAB_BYTES;
        }
        return switch (layout) {
            case DEEP -> lines * SLAB_BYTES;
            case WIDE -> SLAB_BYTES / elementBytes * (lines * elementBytes + VECTOR_BYTES);
        };
    }
}
