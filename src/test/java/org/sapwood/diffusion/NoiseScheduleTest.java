package org.sapwood.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.sapwood.io.UserException;

/** The expected ᾱ were computed from the papers' formulas in Python, the linear ones in 40-digit decimals. */
class NoiseScheduleTest {
    @Test
    void linearFollowsDdpm() {
        NoiseSchedule schedule = NoiseSchedule.linear(1000);
        assertEquals(0.9999, schedule.alphaBar(0), 1e-15);
        assertEquals(0.9997800920720721, schedule.alphaBar(1), 1e-15);
        assertEquals(0.5214230306185274, schedule.alphaBar(250), 1e-14);
        assertEquals(0.07858724288177824, schedule.alphaBar(499), 1e-14);
        assertEquals(4.0358297653757e-5, schedule.alphaBar(999), 1e-17);
    }

    @Test
    void cosineFollowsNicholAndDhariwal() {
        NoiseSchedule schedule = NoiseSchedule.cosine(1000);
        assertEquals(0.999958715775178, schedule.alphaBar(0), 1e-14);
        assertEquals(0.8458879864968832, schedule.alphaBar(250), 1e-13);
        assertEquals(0.4938435904406382, schedule.alphaBar(499), 1e-13);
        // The last beta is clipped to 0.999, otherwise this would be 4e-33.
        assertEquals(2.4287669070348567e-9, schedule.alphaBar(999), 1e-20);
    }

    @Test
    void fewerStepsEndInNoiseAllTheSame() {
        for (int steps : new int[] {1, 20, 100, 4000}) {
            for (NoiseSchedule schedule :
                    new NoiseSchedule[] {NoiseSchedule.linear(steps), NoiseSchedule.cosine(steps)}) {
                double last = schedule.alphaBar(steps - 1);
                assertTrue(last > 0 && last < (steps == 1 ? 0.91 : 1e-4), schedule + " ends at " + last);
                for (int t = 1; t < steps; t++) {
                    assertTrue(schedule.alphaBar(t) < schedule.alphaBar(t - 1), schedule + " at " + t);
                }
            }
        }
    }

    @Test
    void lambdaIsHalfTheLogarithmOfTheSignalToNoiseRatio() {
        NoiseSchedule schedule = NoiseSchedule.linear(1000);
        double share = schedule.alphaBar(300);
        assertEquals(0.5 * Math.log(share / (1 - share)), schedule.lambda(300), 1e-14);
    }

    @Test
    void addNoiseKeepsToItsRange() {
        NoiseSchedule schedule = NoiseSchedule.linear(1000);
        float signal = (float) Math.sqrt(schedule.alphaBar(499));
        float sigma = (float) Math.sqrt(1 - schedule.alphaBar(499));
        float[] noisy = {9, 9, 9, 9};
        schedule.addNoise(new float[] {5, 0.5f, -1}, 1, new float[] {2, -3}, 0, 499, noisy, 1, 2);
        assertArrayEquals(new float[] {9, signal * 0.5f + sigma * 2, -signal - sigma * 3, 9}, noisy, 1e-6f);
    }

    @Test
    void namesRoundTrip() {
        assertEquals("linear:1000", NoiseSchedule.named("linear").toString());
        assertEquals("cosine:500", NoiseSchedule.named("cosine:500").toString());
        assertEquals(500, NoiseSchedule.named("cosine:500").steps());
        UserException unknown = assertThrows(UserException.class, () -> NoiseSchedule.named("quadratic"));
        assertTrue(unknown.getMessage().contains("'quadratic', expected linear or cosine"), unknown.getMessage());
        assertThrows(UserException.class, () -> NoiseSchedule.named("linear:0"));
        assertThrows(UserException.class, () -> NoiseSchedule.named("linear:"));
        assertThrows(IllegalArgumentException.class, () -> NoiseSchedule.linear(0));
    }
}
