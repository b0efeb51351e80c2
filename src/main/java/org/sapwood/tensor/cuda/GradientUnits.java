package org.sapwood.tensor.cuda;

import java.util.function.LongFunction;
import org.sapwood.tensor.GradientRows;

/**
 * How a weight gradient, a product of {@code samples * tokens} deep, is divided over blocks: by which tiles, and by
 * which samples ({@code kernels/include/tile_units.cuh}).
 *
 * <p>Up to {@link GradientRows#ORDERED_SAMPLES} samples of a row are finished one by one and added in ascending order. Of
 * more, consecutive ones are summed within one product, and if there are few tiles a row is cut into parts that
 * different blocks compute, and that are summed afterwards. Then tiles may be as large as if every part were a product
 * of its own: it is the samples, not small tiles, that make enough blocks.
 */
final class GradientUnits {
    /** Of the device that work is divided for, whatever the device. */
    private static final int MULTIPROCESSORS = 132;

    /** Sums that a multiprocessor keeps in registers, about. */
    private static final int RESIDENT_SUMS = 3 * 128 * 64;

    /** Depth of a part that is worth storing and reading its sums once more. */
    private static final int SHORTEST_PART = 512;

    /** Threads and widest slice of a block that sums parts, {@code reduce_tokens}. */
    private static final int THREADS = 256;

    private static final int SLICE_QUADS = 32;

    private final Tile tile;
    private final int tiles;
    private final GradientRows target;
    private final int samples;
    private final int samplesPerRow;
    private final int length;
    private final int splits;
    private final int samplesPerPass;
    private final Packing packing;
    private final long parts;

    private GradientUnits(
            Gradient gradient, GradientRows target, Tile tile, int splits, int samplesPerPass, Packing packing) {
        this.tile = tile;
        this.tiles = gradient.tiles(tile);
        this.target = target;
        this.samples = gradient.samples;
        this.samplesPerRow = gradient.samplesPerRow(target);
        this.length = gradient.length;
        this.splits = splits;
        this.samplesPerPass = samplesPerPass;
        this.packing = packing;
        this.parts = splits == 1 ? -1 : packing.reserve((long) rows() * splits * length * Float.BYTES);
    }

    /**
     * The gradient of a parameter.
     *
     * @param samples of the batch, not 0
     * @param tokens of a sample
     * @param height of the product that is computed
     * @param width of that product
     * @param length coordinates of the parameter
     */
    record Gradient(int samples, int tokens, int height, int width, int length) {
        private int tiles(Tile tile) {
            return tile.count(height, width);
        }

        private int samplesPerRow(GradientRows target) {
            return Math.min(target.samplesPerRow(), samples);
        }
    }

    /**
     * Plans a gradient, and reserves room for parts in {@code packing}.
     *
     * @param choice the tile that is best for so many products
     */
    static GradientUnits plan(Gradient gradient, GradientRows target, LongFunction<Tile> choice, Packing packing) {
        int perRow = gradient.samplesPerRow(target);
        long rows = Math.ceilDiv(gradient.samples, perRow);
        if (perRow <= GradientRows.ORDERED_SAMPLES) {
            return new GradientUnits(gradient, target, choice.apply(rows), 1, 1, packing);
        }
        int mostParts = Math.clamp((long) perRow * gradient.tokens / SHORTEST_PART, 1, perRow);
        Tile tile = choice.apply(rows * mostParts);
        int wanted = Math.clamp(enoughBlocks(tile) / (gradient.tiles(tile) * rows), 1, mostParts);
        int perPart = Math.ceilDiv(perRow, wanted);
        return new GradientUnits(gradient, target, tile, Math.ceilDiv(perRow, perPart), perPart, packing);
    }

    /** Blocks that fill the device once. */
    private static long enoughBlocks(Tile tile) {
        return (long) MULTIPROCESSORS * Math.clamp(RESIDENT_SUMS / (tile.rows() * tile.columns()), 2, 4);
    }

    private int rows() {
        return Math.ceilDiv(samples, samplesPerRow);
    }

    /** By which the product is computed. */
    Tile tile() {
        return tile;
    }

    /** Passes {@code samples, samples_per_row, splits, samples_per_pass}. */
    Launch divide(Launch launch) {
        return launch.i32(samples).i32(samplesPerRow).i32(splits).i32(samplesPerPass);
    }

    /** Where the first unit stores. */
    long first(CudaStream stream) {
        return splits == 1 ? CudaReduce.firstCoordinate(stream, target) : packing.address(parts);
    }

    /** Coordinates from one unit to the next. */
    long stride() {
        return splits == 1 ? target.matrix().dim(1) : length;
    }

    /** Whether units add to what stands in the rows. */
    boolean accumulates() {
        return splits == 1 && target.accumulate();
    }

    /** Launches the product, whose arguments are complete, and sums the parts of each row, if there are several. */
    void run(Launch launch, CudaStream stream) {
        launch.grid(
                Math.multiplyExact(tiles, rows() * splits),
                1,
                1,
                tile.threads(),
                tile.sharedBytes(Tile.Layout.WIDE, Tile.Layout.WIDE, packing.elementBytes()));
        if (splits > 1) {
            sumParts(stream);
        }
    }

    /** Parts are to a row what tokens are to a sample of a bias gradient. */
    private void sumParts(CudaStream stream) {
        int quads = Math.min(SLICE_QUADS, CudaReduce.quads(length));
        int slices = Math.ceilDiv(length, 4 * quads);
        stream.kernel("reduce", "reduce_tokens")
                .address(packing.address(parts))
                .i32(splits)
                .i32(length)
                .i32(quads)
                .i32(slices)
                .f32(1)
                .address(CudaReduce.firstCoordinate(stream, target))
                .i64(target.matrix().dim(1))
                .flag(target.accumulate())
                .blocks(Math.multiplyExact(rows(), slices), THREADS);
    }
}
