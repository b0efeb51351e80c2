package org.sapwood.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.sapwood.tensor.scalar.ScalarBackend;

class HostPoolTest {
    /** 3×4 pixels, two channels: the second is minus the first. */
    private static final HostMap IMAGE = image(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);

    private static HostMap image(float... pixels) {
        float[] values = new float[2 * pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            values[2 * i] = pixels[i];
            values[2 * i + 1] = -pixels[i];
        }
        return new HostMap(values, 3, 4, 2);
    }

    private static float[] channel(HostPool pool, int channel) {
        HostMap y = pool.apply(new ScalarBackend(), IMAGE);
        assertEquals(2, y.channels());
        float[] values = new float[y.height() * y.width()];
        for (int i = 0; i < values.length; i++) {
            values[i] = y.values()[2 * i + channel];
        }
        return values;
    }

    @Test
    void maximumIgnoresThePadding() {
        HostPool pool = new HostPool(HostPool.Kind.MAX, 1, 1);
        assertArrayEquals(new float[] {6, 7, 8, 8, 10, 11, 12, 12, 10, 11, 12, 12}, channel(pool, 0));
        assertArrayEquals(new float[] {-1, -1, -2, -3, -1, -1, -2, -3, -5, -5, -6, -7}, channel(pool, 1));
    }

    /** A 3×4 image has one window of stride 2 without padding; PyTorch rounds the size down. */
    @Test
    void maximumWithStride() {
        assertArrayEquals(new float[] {11}, channel(new HostPool(HostPool.Kind.MAX, 2, 0), 0));
    }

    @Test
    void meansDifferAtTheBorderOnly() {
        float[] inside = channel(new HostPool(HostPool.Kind.MEAN, 1, 1), 0);
        float[] padded = channel(new HostPool(HostPool.Kind.MEAN_WITH_PADDING, 1, 1), 0);
        assertEquals((1 + 2 + 5 + 6) / 4f, inside[0], 1e-6);
        assertEquals((1 + 2 + 5 + 6) / 9f, padded[0], 1e-6);
        assertEquals((2 + 3 + 4 + 6 + 7 + 8) / 6f, inside[2], 1e-6);
        assertEquals((2 + 3 + 4 + 6 + 7 + 8) / 9f, padded[2], 1e-6);
        assertEquals(6, inside[5], 1e-6);
        assertEquals(6, padded[5], 1e-6);
    }
}
