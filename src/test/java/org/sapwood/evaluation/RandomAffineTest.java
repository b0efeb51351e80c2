package org.sapwood.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;

class RandomAffineTest {
    private static final int HEIGHT = 20;
    private static final int WIDTH = 24;

    @Test
    void aPlainImageStaysPlainAndNothingElseIsWritten() {
        float[] source = new float[HEIGHT * WIDTH * 3];
        Arrays.fill(source, 0.25f);
        float[] target = new float[source.length + 2];
        new RandomAffine(HEIGHT, WIDTH, 3).apply(source, target, 1, RandomSource.XO_SHI_RO_256_PP.create(1L));
        for (int i = 1; i <= source.length; i++) {
            assertEquals(0.25f, target[i]);
        }
        assertEquals(0f, target[0]);
        assertEquals(0f, target[source.length + 1]);
    }

    /** The centre of mass of a blob moves by no more than the shift and the rotation allow, and does move. */
    @Test
    void movesAreSmall() {
        float[] source = new float[HEIGHT * WIDTH];
        for (int y = 8; y < 12; y++) {
            Arrays.fill(source, y * WIDTH + 10, y * WIDTH + 14, 1f);
        }
        RandomAffine augmentation = new RandomAffine(HEIGHT, WIDTH, 1);
        UniformRandomProvider rng = RandomSource.XO_SHI_RO_256_PP.create(2L);
        double farthest = 0;
        for (int draw = 0; draw < 200; draw++) {
            float[] target = new float[source.length];
            augmentation.apply(source, target, 0, rng);
            double mass = 0;
            double x = 0;
            double y = 0;
            for (int i = 0; i < target.length; i++) {
                int row = i / WIDTH;
                mass += target[i];
                x += target[i] * (i - row * WIDTH);
                y += target[i] * row;
            }
            assertEquals(16, mass, 5);
            farthest = Math.max(farthest, Math.max(Math.abs(x / mass - 11.5), Math.abs(y / mass - 9.5)));
        }
        assertTrue(farthest > 1.5 && farthest < 2.4, "farthest move " + farthest);
    }
}
