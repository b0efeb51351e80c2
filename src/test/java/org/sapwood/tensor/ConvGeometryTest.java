package org.sapwood.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class ConvGeometryTest {
    @Test
    void sameKeepsTheImageSize() {
        for (int kernel : new int[] {1, 3, 5}) {
            ConvGeometry geometry = ConvGeometry.same(7, 9, 2, 4, kernel);
            assertEquals(7, geometry.outHeight());
            assertEquals(9, geometry.outWidth());
            assertEquals(kernel * kernel * 8, geometry.weightSize());
        }
    }

    @Test
    void downsamplingHalvesWithEitherPadding() {
        assertEquals(14, new ConvGeometry(28, 28, 1, 1, 3, 2, 1, 1).outHeight());
        assertEquals(14, new ConvGeometry(28, 28, 1, 1, 3, 2, 0, 1).outHeight());
        assertEquals(4, new ConvGeometry(7, 7, 1, 1, 3, 2, 1, 1).outWidth());
        assertEquals(3, new ConvGeometry(7, 7, 1, 1, 3, 2, 0, 1).outWidth());
        assertEquals(3 * 2, new ConvGeometry(7, 5, 1, 1, 3, 2, 0, 1).outTokens());
    }

    @Test
    void refusesWhatIsNoConvolution() {
        assertThrows(IllegalArgumentException.class, () -> new ConvGeometry(0, 4, 1, 1, 1, 1, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new ConvGeometry(4, 4, 1, 1, 3, 0, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new ConvGeometry(4, 4, 1, 1, 3, 1, -1, 0));
        assertThrows(IllegalArgumentException.class, () -> new ConvGeometry(4, 4, 1, 1, 5, 1, 0, 0));
    }
}
