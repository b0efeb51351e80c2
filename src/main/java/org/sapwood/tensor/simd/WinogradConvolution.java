package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.PANEL;
import static org.sapwood.tensor.simd.Lanes.TILE_ROWS;
import static org.sapwood.tensor.simd.Lanes.V;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.Tensor;

/**
 * 3×3 convolutions of stride 1 as 36 matrix products over transformed tiles ({@link WinogradPoints}): a quarter of the
 * multiplications where tiles of 4×4 outputs fill the image, little more where they do not ({@link TileGrid}).
 *
 * <p>A tile depends on its image alone, and each of its 36·C products is one chain over the channels, so that the bits of
 * an output depend neither on the other images nor on where a block of tiles begins.
 */
final class WinogradConvolution {
    /** Edge of the square of outputs that a tile makes. */
    static final int OUTPUTS = 4;

    /** Edge of a tile: of the patch that these outputs depend on, and of the patch once it is mapped. */
    static final int EDGE = 6;

    /** Products per tile, input channel and output channel. */
    static final int PRODUCTS = EDGE * EDGE;

    /** Floats of transformed tiles and their products that go together: what the second-level cache holds. */
    private static final int BLOCK_FLOATS = 1 << 17;

    /** Rows of the lower micro-kernel, to which a block of tiles is padded. */
    private static final int LEAST_ROWS = 4;

    /**
     * Multiplications per pair of channels that take as long as to transform a filter: below, one image alone would lose. As
     * measured on 4×4 and 7×7 images.
     */
    private static final int TRANSFORM_FILTER = 400;

    /** Most floats of one transformed image. Larger images take more memory than the plain way is slower. */
    static final int MOST_FLOATS = 1 << 21;

    /** Tiles that go together at least: each pass over them reads all filters. */
    private static final int LEAST_TILES = 24;

    /**
     * Makes an infinity of a value of 2⁵⁰ or more. There the maps might overflow where the plain sum of products does not; a
     * value this large, an infinity or a NaN makes its whole image go the plain way, or all images if it is in a filter.
     */
    private static final float OVERFLOW = 0x1p78f;

    private final Map<ConvGeometry, ConvGeometry> transposes = new HashMap<>();
    private final WinogradBuffers buffers;
    private final TileRows patches;
    private final BitSet leftOut = new BitSet();
    private float[] filters = new float[0];
    private float[] turned = new float[0];
    private float[] zeros = new float[0];
    private int filterStep;

    WinogradConvolution(WinogradBuffers buffers) {
        this.buffers = buffers;
        patches = buffers.patches;
    }

    /**
     * Whether a convolution has this form and gains. By its sizes alone, never by the batch: a sample would have other bits in
     * a batch of another size.
     */
    static boolean suits(ConvGeometry geometry) {
        long rows = (long) geometry.height() * tiles(geometry.outWidth()) * EDGE * geometry.inChannels();
        return geometry.kernel() == 3
                && geometry.stride() == 1
                && Math.max(geometry.padLow(), geometry.padHigh()) < geometry.kernel()
                && geometry.inChannels() % V == 0
                && geometry.outChannels() % PANEL == 0
                && 9 * geometry.outTokens() >= Math.max(2 * products(geometry), TRANSFORM_FILTER)
                && rows <= MOST_FLOATS;
    }

    /** Whether the gradient of the input has it. */
    boolean suitsTransposed(ConvGeometry geometry) {
        return suits(geometry) && suits(transposed(geometry));
    }

    /** The convolution that makes the gradient of the input of one that {@link #suits}. */
    ConvGeometry transposed(ConvGeometry geometry) {
        return transposes.computeIfAbsent(geometry, WinogradConvolution::transpose);
    }

    private static ConvGeometry transpose(ConvGeometry geometry) {
        return new ConvGeometry(
                geometry.outHeight(),
                geometry.outWidth(),
                geometry.outChannels(),
                geometry.inChannels(),
                3,
                1,
                2 - geometry.padLow(),
                2 - geometry.padHigh());
    }

    /** Whether all values are small enough for the maps. */
    static boolean isTame(float[] x, int start, int size) {
        return SimdElementwise.allFinite(x, start, size, OVERFLOW);
    }

    /**
     * Transforms the filters of a weight [3, 3, Cin, Cout] for the convolution itself: to 36 matrices [Cin, Cout] in panels of
     * two vectors.
     */
    void useFilters(float[] weight, int start, int in, int out) {
        filterStep = step(in * out);
        filters = Lanes.grow(filters, PRODUCTS * filterStep);
        float[] halfway = buffers.halfway(3 * EDGE * out);
        int tap = in * out;
        for (int i = 0; i < in; i++) {
            for (int kx = 0; kx < 3; kx++) {
                WinogradFilters.map(weight, start + kx * tap + i * out, 3 * tap, halfway, kx * out, 3 * out, out);
            }
            for (int row = 0; row < EDGE; row++) {
                for (int column = 0; column < out; column += PANEL) {
                    int at = row * 3 * out + column;
                    int to = row * EDGE * filterStep + column * in + i * PANEL;
                    WinogradFilters.map(halfway, at, out, filters, to, filterStep, PANEL);
                }
            }
        }
    }

    /** Transforms them for the gradient of the input: turned by 180 degrees, channels exchanged. */
    void useTurnedFilters(float[] weight, int start, int in, int out) {
        turned = Lanes.grow(turned, 9 * in * out);
        for (int tap = 0; tap < 9; tap++) {
            int from = start + (8 - tap) * in * out;
            int to = tap * in * out;
            for (int o = 0; o < out; o += V) {
                for (int i = 0; i < in; i++) {
                    for (int k = 0; k < V; k++) {
                        turned[to + (o + k) * in + i] = weight[from + i * out + o + k];
                    }
                }
            }
        }
        useFilters(turned, 0, out, in);
    }

    /**
     * Convolves all images that are tame with the filters in use; {@link #leftOut} names the others.
     *
     * @param geometry of what is computed: {@link #transposed} for a gradient of the input
     * @param accumulate whether the outputs are added to y
     */
    void convolve(Tensor x, ConvGeometry geometry, @Nullable Tensor bias, Tensor y, boolean accumulate) {
        int batch = x.dim(0);
        int size = x.shape().rowSize();
        leftOut.clear();
        int first = 0;
        for (int image = 0; image < batch; image++) {
            if (!isTame(x.array(), x.offset() + image * size, size)) {
                leftOut.set(image);
                convolve(x, first, image, geometry, bias, y, accumulate);
                first = image + 1;
            }
        }
        convolve(x, first, batch, geometry, bias, y, accumulate);
    }

    /** Whether {@link #convolve} has left out an image, which then has to go the plain way. */
    boolean leftOut(int image) {
        return leftOut.get(image);
    }

    /** Images [first, end), perhaps none. */
    private void convolve(
            Tensor x, int first, int end, ConvGeometry geometry, @Nullable Tensor bias, Tensor y, boolean accumulate) {
        TileGrid grid = buffers.grid(geometry);
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        patches.shape(geometry.height(), geometry.width(), in, geometry.padLow(), grid);
        int most = Math.max(LEAST_TILES, BLOCK_FLOATS / (PRODUCTS * (in + out)));
        int group = patches.group(end - first, LEAST_TILES);
        zeros = Lanes.grow(zeros, EDGE * out);
        for (int image = first; image < end; image += group) {
            int count = Math.min(group, end - image);
            patches.load(x.array(), x.offset() + image * x.shape().rowSize(), count);
            int yStart = y.offset() + image * y.shape().rowSize();
            int all = count * grid.perImage;
            int block = Math.ceilDiv(all, Math.ceilDiv(all, most));
            for (int place = 0; place < all; place += block) {
                int inBlock = Math.min(block, all - place);
                float[] products = multiply(grid, count, place, inBlock, in, out);
                for (int t = 0; t < inBlock; t++) {
                    int tile = grid.tile(place + t, count);
                    writeOutputs(grid, tile, products, t, geometry, bias, y.array(), yStart, accumulate);
                }
            }
        }
    }

    /**
     * Transforms the patches of a block of tiles and multiplies them with the filters: [count, 36, Cout].
     *
     * @param images that are loaded
     * @param first place of the first tile in their order
     */
    private float[] multiply(TileGrid grid, int images, int first, int count, int in, int out) {
        int tileSize = tileSize(in);
        int productSize = tileSize(out);
        int padded = count + LEAST_ROWS - 1;
        float[] tiles = buffers.tiles(padded * tileSize);
        float[] products = buffers.products(padded * productSize);
        for (int t = 0; t < count; t++) {
            patches.tile(grid.tile(first + t, images), tiles, t * tileSize);
        }
        for (int p = 0; p < PRODUCTS; p++) {
            int start = Math.max(0, grid.first(p % EDGE, images) - first);
            int end = Math.min(count, grid.end(p / EDGE, p % EDGE, images) - first);
            for (int column = 0; column < out; column += PANEL) {
                int b = p * filterStep + column * in;
                int c = p * out + column;
                int t = start;
                for (; TILE_ROWS == 12 && t + 12 <= end; t += 12) {
                    RowKernels.tile12x2(
                            tiles,
                            t * tileSize + p * in,
                            tileSize,
                            in,
                            filters,
                            b,
                            PANEL,
                            products,
                            t * productSize + c,
                            productSize);
                }
                for (; t < end; t += LEAST_ROWS) {
                    RowKernels.tile4x2(
                            tiles,
                            t * tileSize + p * in,
                            tileSize,
                            in,
                            filters,
                            b,
                            PANEL,
                            products,
                            t * productSize + c,
                            productSize);
                }
            }
        }
        return products;
    }

    private void writeOutputs(
            TileGrid grid,
            int tile,
            float[] products,
            int inBlock,
            ConvGeometry geometry,
            @Nullable Tensor bias,
            float[] y,
            int yStart,
            boolean accumulate) {
        int out = geometry.outChannels();
        int row = tile % grid.perImage / grid.across;
        int column = tile % grid.across;
        int rowStride = geometry.outWidth() * out;
        int image = yStart + tile / grid.perImage * geometry.outTokens() * out;
        int to = image + row * OUTPUTS * rowStride + column * OUTPUTS * out;
        float[] from = zeros;
        int fromStart = 0;
        int fromRow = 0;
        int fromStep = 0;
        if (accumulate) {
            from = y;
            fromStart = to;
            fromRow = rowStride;
            fromStep = out;
        } else if (bias != null) {
            from = bias.array();
            fromStart = bias.offset();
        }
        int down = grid.pointsOfRow(row);
        int across = grid.pointsOfColumn(column);
        float[] halfway = buffers.halfway(OUTPUTS * EDGE * out);
        int at = inBlock * tileSize(out);
        WinogradOutputs.map(down, products, at, EDGE * out, zeros, 0, 0, halfway, 0, EDGE * out, across * out);
        for (int i = 0; i < WinogradPoints.outputs(down); i++) {
            int start = fromStart + i * fromRow;
            int end = to + i * rowStride;
            WinogradOutputs.map(across, halfway, i * EDGE * out, out, from, start, fromStep, y, end, out, out);
        }
    }

    /** Tiles along an edge of so many outputs. */
    static int tiles(int outputs) {
        return Math.ceilDiv(outputs, OUTPUTS);
    }

    /** Products per image and pair of channels. */
    static int products(ConvGeometry geometry) {
        return WinogradPoints.along(geometry.outHeight()) * WinogradPoints.along(geometry.outWidth());
    }

    /**
     * Distance of at least {@code floats} between the 36 parts of a transform: an odd number of vectors, since parts a
     * multiple of 4 KiB apart would share a few sets of the first-level cache.
     */
    private static int step(int floats) {
        return (floats / V | 1) * V;
    }

    /** Distance between tiles: one vector more than they need, for the reason that {@link #step} gives. */
    static int tileSize(int channels) {
        return PRODUCTS * channels + V;
    }
}
