package org.sapwood.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Backends;

class PrecisionRecallTest {
    private static final int COUNT = 200;

    @Test
    void aSetCoversItself() {
        Features set = clusters(1, 0, 50);
        assertEquals(new PrecisionRecall(1, 1, COUNT), measure(set, set));
    }

    @Test
    void distantSetsCoverNothing() {
        assertEquals(new PrecisionRecall(0, 0, COUNT), measure(clusters(1, 0, 0), clusters(2, 50, 50)));
    }

    /** The synthetic set holds one of two real clusters: every image is plausible, half of the variety is missing. */
    @Test
    void aLostModeCostsRecallOnly() {
        Features real = clusters(1, 0, 50);
        PrecisionRecall measured = measure(real, clusters(2, 0, 0));
        assertEquals(1, measured.precision(), 0.1);
        assertEquals(0.5, measured.recall(), 0.06);
    }

    /** Half of the synthetic set is far from anything real: variety is complete, half of it is implausible. */
    @Test
    void inventedImagesCostPrecisionOnly() {
        PrecisionRecall measured = measure(clusters(1, 0, 0), clusters(2, 0, 50));
        assertEquals(0.5, measured.precision(), 0.06);
        assertEquals(1, measured.recall(), 0.1);
    }

    /** Four points on a line: the ball of the first reaches to its third neighbour, at 3. */
    @Test
    void theRadiusIsThatOfTheThirdNeighbour() {
        Features real = new Features(new float[] {0, 1, 2, 3}, 4, 1);
        assertEquals(
                0.5,
                measure(real, new Features(new float[] {-3, 6, -3.01f, 6.01f}, 4, 1))
                        .precision());
    }

    @Test
    void sidesAreCutToEqualSize() {
        Features few = clusters(1, 0, 0).select(new int[] {0, 1, 2, 3, 4});
        assertEquals(5, measure(few, clusters(2, 0, 0)).imagesPerSide());
        Features tooFew = few.select(new int[] {0, 1, 2});
        assertThrows(UserException.class, () -> measure(tooFew, few));
    }

    private static PrecisionRecall measure(Features real, Features synthetic) {
        try (Workers workers = new Workers(Backends.choose("scalar"), 2)) {
            return PrecisionRecall.measure(real, synthetic, workers);
        }
    }

    /** Points in two unit squares, the even ones beginning at {@code first}, the odd ones at {@code second}. */
    private static Features clusters(long seed, float first, float second) {
        UniformRandomProvider rng = RandomSource.XO_SHI_RO_256_PP.create(seed);
        float[] values = new float[2 * COUNT];
        for (int i = 0; i < COUNT; i++) {
            values[2 * i] = rng.nextFloat() + (i % 2 == 0 ? first : second);
            values[2 * i + 1] = rng.nextFloat();
        }
        return new Features(values, COUNT, 2);
    }
}
