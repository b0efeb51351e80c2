package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.MAX_TILE_ROWS;
import static org.sapwood.tensor.simd.Lanes.PANEL;
import static org.sapwood.tensor.simd.WinogradConvolution.EDGE;
import static org.sapwood.tensor.simd.WinogradConvolution.OUTPUTS;
import static org.sapwood.tensor.simd.WinogradConvolution.PRODUCTS;

import org.sapwood.tensor.ConvGeometry;

/**
 * Gradient of one image's 3×3 weight as products over transformed tiles ({@link WinogradPoints}). Squares of 4×4 output
 * gradients take 36 multiplications instead of 144, and then 36 products are mapped back to 9 taps for every pair of
 * channels. On small images, up to about 8×8, that costs more than it saves; there only rows are cut, four gradients at a time: each kernel
 * row is then a convolution along x, 6 multiplications instead of 12, and 6 products are mapped back to 3 taps. Rows of
 * padding are left out, a tenth of the products of a 7×7 image.
 */
final class WinogradFilterGradient {
    /** Multiplications that take as long as to map 6 products back to 3 taps; measured on images of 6×6 to 16×16. */
    private static final int MAP_BACK = 32;

    /** Most windows of a row of which the last lacks products: then the others of all rows are at one distance. */
    private static final int ROW_WINDOWS = 2;

    private final WinogradBuffers buffers;
    private final TileRows patches;
    private final TileRows gradients = new TileRows(WinogradOutputs::mapGradients, 0);

    WinogradFilterGradient(WinogradBuffers buffers) {
        this.buffers = buffers;
        patches = buffers.patches;
    }

    /** Whether a convolution has this form and gains. */
    static boolean suits(ConvGeometry geometry) {
        int tiles = WinogradConvolution.tiles(geometry.outHeight()) * WinogradConvolution.tiles(geometry.outWidth());
        int channels = geometry.inChannels() + geometry.outChannels();
        int multiplications = isByRows(geometry) ? multiplicationsByRows(geometry) : multiplicationsBySquares(geometry);
        return WinogradConvolution.suits(geometry)
                && multiplications < 9 * geometry.outTokens()
                && (long) PRODUCTS * tiles * channels <= WinogradConvolution.MOST_FLOATS;
    }

    private static boolean isByRows(ConvGeometry geometry) {
        return (geometry.outWidth() <= ROW_WINDOWS * OUTPUTS || geometry.outWidth() % OUTPUTS == 0)
                && multiplicationsByRows(geometry) < multiplicationsBySquares(geometry);
    }

    /** Per pair of channels; what mapping back takes is counted among them. */
    private static int multiplicationsBySquares(ConvGeometry geometry) {
        return WinogradConvolution.products(geometry) + (EDGE + 3) * MAP_BACK;
    }

    private static int multiplicationsByRows(ConvGeometry geometry) {
        int along = WinogradPoints.along(geometry.outWidth());
        int all = 0;
        for (int ky = 0; ky < 3; ky++) {
            all += along * (endRow(geometry, ky) - firstRow(geometry, ky)) + MAP_BACK;
        }
        return all;
    }

    /** First row of outputs that kernel row {@code ky} gives something of the image, not of its padding. */
    private static int firstRow(ConvGeometry geometry, int ky) {
        return Math.max(0, geometry.padLow() - ky);
    }

    /** One past the last such row. */
    private static int endRow(ConvGeometry geometry, int ky) {
        return Math.min(geometry.outHeight(), geometry.height() + geometry.padLow() - ky);
    }

    /** Into {@code c} [3, 3, Cin, Cout], replacing what stands there. */
    void compute(float[] x, int xStart, float[] dy, int dyStart, ConvGeometry geometry, float[] c, int cStart) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        TileGrid grid = buffers.grid(geometry);
        patches.shape(geometry.height(), geometry.width(), in, geometry.padLow(), grid);
        gradients.shape(geometry.outHeight(), geometry.outWidth(), out, 0, grid);
        patches.load(x, xStart, 1);
        gradients.load(dy, dyStart, 1);
        if (isByRows(geometry)) {
            byRows(geometry, grid, c, cStart);
        } else {
            bySquares(grid, in, out, c, cStart);
        }
    }

    private void byRows(ConvGeometry geometry, TileGrid grid, float[] c, int cStart) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        int lda = EDGE * in;
        int ldb = EDGE * out;
        float[] products = buffers.products(MAX_TILE_ROWS * EDGE * PANEL);
        for (int ky = 0; ky < 3; ky++) {
            int y = firstRow(geometry, ky);
            int rowsOfWindows = endRow(geometry, ky) - y;
            int a = (ky + y) * grid.across * lda;
            int b = y * grid.across * ldb;
            for (int first = 0, rows; first < in; first += rows) {
                rows = Lanes.tileHeight(in - first);
                for (int column = 0; column < out; column += PANEL) {
                    for (int p = 0; p < EDGE; p++) {
                        boolean all = p < grid.pointsOfColumn(grid.across - 1);
                        int step = all ? 1 : grid.across;
                        ColumnKernels.tile(
                                rows,
                                patches.mapped(),
                                a + p * in + first,
                                step * lda,
                                rowsOfWindows * (all ? grid.across : grid.across - 1),
                                gradients.mapped(),
                                b + p * out + column,
                                step * ldb,
                                products,
                                p * PANEL,
                                EDGE * PANEL);
                    }
                    for (int i = 0; i < rows; i++) {
                        int to = cStart + (3 * ky * in + first + i) * out + column;
                        WinogradFilters.mapGradients(products, i * EDGE * PANEL, PANEL, c, to, in * out, PANEL);
                    }
                }
            }
        }
    }

    private void bySquares(TileGrid grid, int in, int out, float[] c, int cStart) {
        int tileSize = WinogradConvolution.tileSize(in);
        int gradientSize = WinogradConvolution.tileSize(out);
        int gradientTiles = grid.perImage * tileSize;
        int tap = in * out;
        float[] tiles = buffers.tiles(grid.perImage * (tileSize + gradientSize));
        for (int t = 0; t < grid.perImage; t++) {
            int tile = grid.tile(t, 1);
            patches.tile(tile, tiles, t * tileSize);
            gradients.tile(tile, tiles, gradientTiles + t * gradientSize);
        }
        float[] products = buffers.products(MAX_TILE_ROWS * PRODUCTS * PANEL);
        float[] halfway = buffers.halfway(3 * EDGE * PANEL);
        for (int first = 0, rows; first < in; first += rows) {
            rows = Lanes.tileHeight(in - first);
            for (int column = 0; column < out; column += PANEL) {
                for (int p = 0; p < PRODUCTS; p++) {
                    int start = grid.first(p % EDGE, 1);
                    ColumnKernels.tile(
                            rows,
                            tiles,
                            start * tileSize + p * in + first,
                            tileSize,
                            grid.end(p / EDGE, p % EDGE, 1) - start,
                            tiles,
                            gradientTiles + start * gradientSize + p * out + column,
                            gradientSize,
                            products,
                            p * PANEL,
                            PRODUCTS * PANEL);
                }
                for (int i = 0; i < rows; i++) {
                    int at = i * PRODUCTS * PANEL;
                    int to = cStart + (first + i) * out + column;
                    WinogradFilters.mapGradients(products, at, EDGE * PANEL, halfway, 0, EDGE * PANEL, EDGE * PANEL);
                    for (int ky = 0; ky < 3; ky++) {
                        WinogradFilters.mapGradients(
                                halfway, ky * EDGE * PANEL, PANEL, c, to + 3 * ky * tap, tap, PANEL);
                    }
                }
            }
        }
    }
}
