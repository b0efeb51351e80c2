package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.WinogradConvolution.EDGE;
import static org.sapwood.tensor.simd.WinogradConvolution.OUTPUTS;

/**
 * The tiles that the outputs of a convolution are cut into: squares of 4×4, and what is left of the last row and the last
 * column. A tile of fewer outputs needs fewer products, {@link WinogradPoints#points} along each edge: a 7×7 image takes 121
 * instead of 144 per pair of channels, one of 14×14 484 instead of 576.
 *
 * <p>So that the tiles which need a product stand together, those of a few images have an order of their own: the ends of
 * the rows, whole tiles, the last row, the last corner. Whatever a product needs is one range of it.
 */
final class TileGrid {
    /** Rows of outputs. */
    final int rows;

    /** Tiles of a row. */
    final int across;

    /** Tiles of an image. */
    final int perImage;

    private final int down;
    private final int pointsDown;
    private final int pointsAcross;
    private final int wholeDown;
    private final int wholeAcross;
    private final int ends;
    private final int whole;
    private final int below;

    /** Of outputs [rows, columns]. */
    TileGrid(int rows, int columns) {
        this.rows = rows;
        down = WinogradConvolution.tiles(rows);
        across = WinogradConvolution.tiles(columns);
        perImage = down * across;
        pointsDown = WinogradPoints.points(rows - (down - 1) * OUTPUTS);
        pointsAcross = WinogradPoints.points(columns - (across - 1) * OUTPUTS);
        wholeDown = rows / OUTPUTS;
        wholeAcross = columns / OUTPUTS;
        ends = wholeDown * (across - wholeAcross);
        whole = wholeDown * wholeAcross;
        below = (down - wholeDown) * wholeAcross;
    }

    /** Points along y of the tiles of a row. */
    int pointsOfRow(int row) {
        return row < down - 1 ? EDGE : pointsDown;
    }

    /** Points along x of the tiles of a column. */
    int pointsOfColumn(int column) {
        return column < across - 1 ? EDGE : pointsAcross;
    }

    /** Which tile, counted along the rows of tiles through all images, has a place in the order. */
    int tile(int place, int images) {
        int left = place;
        if (left < images * ends) {
            return tile(left / ends, left % ends, wholeAcross);
        }
        left -= images * ends;
        if (left < images * whole) {
            int inImage = left % whole;
            return tile(left / whole, inImage / wholeAcross, inImage % wholeAcross);
        }
        left -= images * whole;
        if (left < images * below) {
            return tile(left / below, wholeDown, left % below);
        }
        return tile(left - images * below, wholeDown, wholeAcross);
    }

    private int tile(int image, int row, int column) {
        return image * perImage + row * across + column;
    }

    /** Place of the first tile that needs the products of a point along x. */
    int first(int pointAcross, int images) {
        return pointAcross < pointsAcross ? 0 : images * ends;
    }

    /** One past the place of the last tile that needs the product of two points. */
    int end(int pointDown, int pointAcross, int images) {
        if (pointDown >= pointsDown) {
            return images * (ends + whole);
        }
        return pointAcross < pointsAcross ? images * perImage : images * (ends + whole + below);
    }
}
