package org.sapwood.tensor.simd;

import java.util.HashMap;
import java.util.Map;
import org.sapwood.tensor.ConvGeometry;

/**
 * Scratch memory of one worker's Winograd convolutions. Outputs and gradients share it: what one call leaves in the
 * second-level cache the next one overwrites there, which is worth 3 % of both.
 */
final class WinogradBuffers {
    /** Rows of images, mapped along x. */
    final TileRows patches = new TileRows(WinogradInputs::map, 2);

    private final Map<ConvGeometry, TileGrid> grids = new HashMap<>();
    private float[] tiles = new float[0];
    private float[] products = new float[0];
    private float[] halfway = new float[0];

    /** The tiles of a convolution's outputs. */
    TileGrid grid(ConvGeometry geometry) {
        return grids.computeIfAbsent(geometry, of -> new TileGrid(of.outHeight(), of.outWidth()));
    }

    /** Transformed tiles. */
    float[] tiles(int size) {
        tiles = Lanes.grow(tiles, size);
        return tiles;
    }

    /** Products of transformed tiles. */
    float[] products(int size) {
        products = Lanes.grow(products, size);
        return products;
    }

    /** What has been mapped along one of two axes. */
    float[] halfway(int size) {
        halfway = Lanes.grow(halfway, size);
        return halfway;
    }
}
