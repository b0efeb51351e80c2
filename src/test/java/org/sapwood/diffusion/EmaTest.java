package org.sapwood.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class EmaTest {
    @Test
    void averagesGeometrically() {
        float[] initial = {1, 0};
        Ema ema = new Ema(initial, 0.75, false);
        ema.update(new float[] {5, 4});
        assertArrayEquals(new float[] {2, 1}, ema.values());
        ema.update(new float[] {2, 5});
        assertArrayEquals(new float[] {2, 2}, ema.values());
        assertArrayEquals(new float[] {1, 0}, initial);
        assertEquals(2, ema.updates());
    }

    @Test
    void warmUpForgetsTheInitialWeightsQuickly() {
        Ema ema = new Ema(new float[] {10}, 0.999, true);
        ema.update(new float[] {0});
        assertEquals(1, ema.values()[0], 1e-6);
        ema.update(new float[] {0});
        assertEquals(2.0 / 11, ema.values()[0], 1e-6);
        Ema late = new Ema(new float[] {1}, 0.9, true, 1_000_000);
        late.update(new float[] {0});
        assertEquals(0.9, late.values()[0], 1e-6, "the decay is a ceiling");
    }

    @Test
    void resumesWhereItStopped() {
        Ema whole = new Ema(new float[] {3}, 0.9, true);
        Ema first = new Ema(new float[] {3}, 0.9, true);
        whole.update(new float[] {1});
        first.update(new float[] {1});
        Ema second = new Ema(first.values(), 0.9, true, first.updates());
        whole.update(new float[] {2});
        second.update(new float[] {2});
        assertArrayEquals(whole.values(), second.values());
    }

    @Test
    void refusesNonsense() {
        assertThrows(IllegalArgumentException.class, () -> new Ema(new float[1], 1, false));
        assertThrows(IllegalArgumentException.class, () -> new Ema(new float[1], Double.NaN, false));
        assertThrows(IllegalArgumentException.class, () -> new Ema(new float[1], 0.5, false).update(new float[2]));
    }
}
