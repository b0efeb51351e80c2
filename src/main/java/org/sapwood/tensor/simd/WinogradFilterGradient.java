package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.MAX_TILE_ROWS;
import static org.sapwood.tensor.simd.Lanes.PANEL;
import static org.sapwood.tensor.simd.WinogradConvolution.EDGE;
import static org.sapwood.tensor.simd.WinogradConvolution.OUTPUTS;
import static org.sapwood.tensor.simd.WinogradConvolution.PRODUCTS;

import org.sapwood.tensor.ConvGeometry;

/**
 * Gradient of one image's 3×3 weight as products over transformed tiles ({@link WinogradMaps}). Squares of 4×4 output
 * gradients take 36 multiplications instead of 144, and then 36 products are mapped back to 9 taps for every pair of
 * channels. On small images that costs more than it saves; there only rows are cut, four gradients at a time: each kernel
 * row is then a convolution along x, 6 multiplications instead of 12, and 6 products are mapped back to 3 taps. Rows of
 * padding are left out, a tenth of the products of a 7×7 image.
 */
final class WinogradFilterGradient {
    /** Multiplications that take as long as to map 6 products back to 3 taps; measured on images of 6×6 to 16×16. */
    private static final int MAP_BACK = 32;

    private final WinogradBuffers buffers;
    private final TileRows patches;
    private final TileRows gradients = new TileRows(WinogradMaps::outputGradients, OUTPUTS);

    WinogradFilterGradient(WinogradBuffers buffers) {
        this.buffers = buffers;
        patches = buffers.patches;
    }

    /** Whether a convolution has this form and gains. */
    static boolean suits(ConvGeometry geometry) {
        int channels = geometry.inChannels() + geometry.outChannels();
        return WinogradConvolution.suits(geometry)
                && Math.min(multiplicationsBySquares(geometry), multiplicationsByRows(geometry))
                        < 9 * geometry.outTokens()
                && (long) PRODUCTS * tiles(geometry) * channels <= WinogradConvolution.MOST_FLOATS;
    }

    private static int tiles(ConvGeometry geometry) {
        return WinogradConvolution.tiles(geometry.outHeight()) * WinogradConvolution.tiles(geometry.outWidth());
    }

    /** Per pair of channels; what mapping back takes is counted among them. */
    private static int multiplicationsBySquares(ConvGeometry geometry) {
        return PRODUCTS * tiles(geometry) + (EDGE + 3) * MAP_BACK;
    }

    private static int multiplicationsByRows(ConvGeometry geometry) {
        int across = WinogradConvolution.tiles(geometry.outWidth());
        int all = 0;
        for (int ky = 0; ky < 3; ky++) {
            all += EDGE * across * (endRow(geometry, ky) - firstRow(geometry, ky)) + MAP_BACK;
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
        int down = WinogradConvolution.tiles(geometry.outHeight());
        int across = WinogradConvolution.tiles(geometry.outWidth());
        patches.shape(geometry.height(), geometry.width(), in, geometry.padLow(), down, across);
        gradients.shape(geometry.outHeight(), geometry.outWidth(), out, 0, down, across);
        patches.load(x, xStart, 1);
        gradients.load(dy, dyStart, 1);
        if (multiplicationsByRows(geometry) < multiplicationsBySquares(geometry)) {
            byRows(geometry, across, c, cStart);
        } else {
            bySquares(down * across, in, out, c, cStart);
        }
    }

    private void byRows(ConvGeometry geometry, int across, float[] c, int cStart) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        float[] products = buffers.products(MAX_TILE_ROWS * EDGE * PANEL);
        for (int ky = 0; ky < 3; ky++) {
            int y = firstRow(geometry, ky);
            int windows = (endRow(geometry, ky) - y) * across;
            int start = (ky + y) * across * EDGE * in;
            int gradientStart = y * across * EDGE * out;
            for (int first = 0, rows; first < in; first += rows) {
                rows = Lanes.tileHeight(in - first);
                for (int column = 0; column < out; column += PANEL) {
                    multiply(
                            EDGE,
                            rows,
                            windows,
                            patches.mapped(),
                            start + first,
                            in,
                            EDGE * in,
                            gradients.mapped(),
                            gradientStart + column,
                            out,
                            EDGE * out,
                            products);
                    for (int i = 0; i < rows; i++) {
                        int to = cStart + (3 * ky * in + first + i) * out + column;
                        WinogradMaps.tapGradients(products, i * EDGE * PANEL, PANEL, c, to, in * out, PANEL);
                    }
                }
            }
        }
    }

    private void bySquares(int count, int in, int out, float[] c, int cStart) {
        int tileSize = WinogradConvolution.tileSize(in);
        int gradientSize = WinogradConvolution.tileSize(out);
        int gradientTiles = count * tileSize;
        int tap = in * out;
        float[] tiles = buffers.tiles(count * (tileSize + gradientSize));
        for (int t = 0; t < count; t++) {
            patches.tile(t, tiles, t * tileSize);
            gradients.tile(t, tiles, gradientTiles + t * gradientSize);
        }
        float[] products = buffers.products(MAX_TILE_ROWS * PRODUCTS * PANEL);
        float[] halfway = buffers.halfway(3 * EDGE * PANEL);
        for (int first = 0, rows; first < in; first += rows) {
            rows = Lanes.tileHeight(in - first);
            for (int column = 0; column < out; column += PANEL) {
                multiply(
                        PRODUCTS,
                        rows,
                        count,
                        tiles,
                        first,
                        in,
                        tileSize,
                        tiles,
                        gradientTiles + column,
                        out,
                        gradientSize,
                        products);
                for (int i = 0; i < rows; i++) {
                    int at = i * PRODUCTS * PANEL;
                    int to = cStart + (first + i) * out + column;
                    WinogradMaps.tapGradients(products, at, EDGE * PANEL, halfway, 0, EDGE * PANEL, EDGE * PANEL);
                    for (int ky = 0; ky < 3; ky++) {
                        WinogradMaps.tapGradients(halfway, ky * EDGE * PANEL, PANEL, c, to + 3 * ky * tap, tap, PANEL);
                    }
                }
            }
        }
    }

    /**
     * Products [rows, points, PANEL] of one panel of output channels, each a sum over {@code depth} windows.
     *
     * @param aPoint distance from a point of a window to the next in {@code a}; of one window to the next: {@code lda}
     */
    private static void multiply(
            int points,
            int rows,
            int depth,
            float[] a,
            int aStart,
            int aPoint,
            int lda,
            float[] b,
            int bStart,
            int bPoint,
            int ldb,
            float[] products) {
        for (int p = 0; p < points; p++) {
            ColumnKernels.tile(
                    rows,
                    a,
                    aStart + p * aPoint,
                    lda,
                    depth,
                    b,
                    bStart + p * bPoint,
                    ldb,
                    products,
                    p * PANEL,
                    points * PANEL);
        }
    }
}
