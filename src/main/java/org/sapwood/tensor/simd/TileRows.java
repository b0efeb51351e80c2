package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.WinogradConvolution.EDGE;
import static org.sapwood.tensor.simd.WinogradConvolution.OUTPUTS;

import java.util.Arrays;

/**
 * The rows of a few NHWC images, cut into the windows of their tiles and mapped along x, [image, row, tile, 6, C]: the first
 * half of a two-dimensional map. Tiles above one another share it where their windows overlap. Points that a tile at the end
 * of a row does not need are not written.
 */
final class TileRows {
    /** Floats that leave room in the second-level cache for the tiles. */
    private static final int CACHE_FLOATS = 1 << 16;

    /** {@link WinogradInputs#map} or {@link WinogradOutputs#mapGradients}. */
    @FunctionalInterface
    interface WindowMap {
        void apply(int points, float[] from, int at, int stride, float[] to, int start, int step, int count);
    }

    private final WindowMap map;
    private final int overlap;

    private float[] rows = new float[0];
    private float[] edge = new float[0];
    private int height;
    private int width;
    private int channels;
    private int margin;
    private TileGrid grid = new TileGrid(1, 1);
    private int rowSize;
    private int imageSize;

    /** @param overlap pixels of a window beyond those of its outputs */
    TileRows(WindowMap map, int overlap) {
        this.map = map;
        this.overlap = overlap;
    }

    /**
     * Declares the form of the images; what of a window lies outside of one counts as zeros.
     *
     * @param margin by how much the first window starts before the first pixel, above it as well
     */
    void shape(int height, int width, int channels, int margin, TileGrid grid) {
        this.height = height;
        this.width = width;
        this.channels = channels;
        this.margin = margin;
        this.grid = grid;
        rowSize = grid.across * EDGE * channels;
        imageSize = (grid.rows + overlap) * rowSize;
        edge = Lanes.grow(edge, (OUTPUTS + overlap) * channels);
    }

    /** How many images to hold at once: what fits the cache, or {@code leastTiles}, but not more than there are. */
    int group(int batch, int leastTiles) {
        int fitting = Math.max(CACHE_FLOATS / imageSize, Math.ceilDiv(leastTiles, grid.perImage));
        return Math.clamp(fitting, 1, Math.max(1, batch));
    }

    /** Maps {@code count} images that start at {@code from}. */
    void load(float[] images, int from, int count) {
        rows = Lanes.grow(rows, count * imageSize);
        for (int image = 0; image < count; image++) {
            int to = image * imageSize;
            int first = to + margin * rowSize;
            Arrays.fill(rows, to, first, 0f);
            Arrays.fill(rows, first + height * rowSize, to + imageSize, 0f);
            for (int y = 0; y < height; y++) {
                mapRow(images, from + (image * height + y) * width * channels, first + y * rowSize);
            }
        }
    }

    private void mapRow(float[] images, int from, int to) {
        for (int tile = 0; tile < grid.across; tile++) {
            int points = grid.pointsOfColumn(tile);
            int window = WinogradPoints.outputs(points) + overlap;
            int first = tile * OUTPUTS - margin;
            int start = to + tile * EDGE * channels;
            int lowest = Math.max(0, -first);
            int end = Math.min(window, width - first);
            if (lowest == 0 && end == window) {
                map.apply(points, images, from + first * channels, channels, rows, start, channels, channels);
            } else {
                Arrays.fill(edge, 0, lowest * channels, 0f);
                System.arraycopy(
                        images, from + (first + lowest) * channels, edge, lowest * channels, (end - lowest) * channels);
                Arrays.fill(edge, end * channels, window * channels, 0f);
                map.apply(points, edge, 0, channels, rows, start, channels, channels);
            }
        }
    }

    /** What {@link #load} has made of the first image: row after row, from the margin above to that below. */
    float[] mapped() {
        return rows;
    }

    /**
     * Completes one tile, [6, 6, C].
     *
     * @param tile counted along the rows of tiles through all images
     */
    void tile(int tile, float[] v, int to) {
        int row = tile % grid.perImage / grid.across;
        int column = tile % grid.across;
        int at = tile / grid.perImage * imageSize + row * OUTPUTS * rowSize + column * EDGE * channels;
        int count = grid.pointsOfColumn(column) * channels;
        map.apply(grid.pointsOfRow(row), rows, at, rowSize, v, to, EDGE * channels, count);
    }
}
