package org.sapwood.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class TimestepEncodingTest {
    @Test
    void cosinesComeFirstByDefault() {
        float[] target = new float[6];
        new TimestepEncoding(4, true, 0).encode(5, target, 1);
        assertArrayEquals(
                new float[] {
                    0, (float) Math.cos(5), (float) Math.cos(0.05), (float) Math.sin(5), (float) Math.sin(0.05), 0
                },
                target,
                1e-6f);
    }

    @Test
    void ddpmHasSinesFirstAndAShiftedExponent() {
        float[] target = new float[4];
        new TimestepEncoding(4, false, 1).encode(5, target, 0);
        assertArrayEquals(
                new float[] {(float) Math.sin(5), (float) Math.sin(5e-4), (float) Math.cos(5), (float) Math.cos(5e-4)},
                target,
                1e-6f);
    }

    @Test
    void oddDimensionsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new TimestepEncoding(5, true, 0));
        assertThrows(IllegalArgumentException.class, () -> new TimestepEncoding(2, true, 1));
    }
}
