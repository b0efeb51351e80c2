package org.sapwood.privacy.random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.apache.commons.numbers.gamma.Erfc;
import org.junit.jupiter.api.Test;
import org.sapwood.privacy.random.RandomSource.Purpose;

/** Distribution and addressing of the noise, at a fixed seed. */
class GaussianNoiseTest {

    private static double[] normals(long seed, int count) {
        GaussianNoise noise = RandomSource.seeded(seed, 0).gaussian(Purpose.NOISE);
        double[] all = new double[count];
        GaussianNoise.Scratch scratch = new GaussianNoise.Scratch();
        for (int i = 0; i < count; i += GaussianNoise.TILE) {
            double[] tile = noise.tile(i / GaussianNoise.TILE, scratch);
            System.arraycopy(tile, 0, all, i, Math.min(GaussianNoise.TILE, count - i));
        }
        return all;
    }

    @Test
    void hasTheMomentsOfTheNormal() {
        int n = 1 << 20;
        double[] z = normals(5, n);
        double mean = 0;
        double second = 0;
        double third = 0;
        double fourth = 0;
        double neighbours = 0;
        for (int i = 0; i < n; i++) {
            mean += z[i] / n;
            second += z[i] * z[i] / n;
            third += z[i] * z[i] * z[i] / n;
            fourth += z[i] * z[i] * z[i] * z[i] / n;
            neighbours += z[i] * z[(i + 1) % n] / n;
        }
        double root = Math.sqrt(n);
        // Five standard errors each.
        assertEquals(0, mean, 5 / root);
        assertEquals(1, second, 5 * Math.sqrt(2) / root);
        assertEquals(0, third, 5 * Math.sqrt(15) / root);
        assertEquals(3, fourth, 5 * Math.sqrt(96) / root);
        assertEquals(0, neighbours, 5 / root);
    }

    @Test
    void passesKolmogorovSmirnov() {
        int n = 1 << 20;
        double[] z = normals(6, n);
        Arrays.sort(z);
        double distance = 0;
        for (int i = 0; i < n; i++) {
            double cdf = Erfc.value(-z[i] / Math.sqrt(2)) / 2;
            distance = Math.max(distance, Math.max(Math.abs(cdf - (double) i / n), Math.abs(cdf - (i + 1.0) / n)));
        }
        // 1.95 is the 0.1 % point of √n·D.
        assertTrue(Math.sqrt(n) * distance < 1.95, "D√n = " + Math.sqrt(n) * distance);
    }

    @Test
    void hasTheTailsOfTheNormal() {
        int n = 1 << 20;
        double[] z = normals(8, n);
        for (double level : new double[] {2, 3, 4}) {
            double expected = n * Erfc.value(level / Math.sqrt(2));
            long beyond =
                    Arrays.stream(z).filter(value -> Math.abs(value) > level).count();
            assertEquals(expected, (double) beyond, 5 * Math.sqrt(expected), "beyond " + level);
        }
    }

    @Test
    void coordinatesDependOnlyOnTheirAddress() {
        GaussianNoise noise = RandomSource.seeded(9, 0).gaussian(Purpose.NOISE);
        int tile = GaussianNoise.TILE;
        double[] late = noise.tile(3, new GaussianNoise.Scratch());
        assertArrayEquals(Arrays.copyOfRange(normals(9, 4 * tile), 3 * tile, 4 * tile), late);
    }

    /** One block after another and one pair after another: what {@link GaussianNoise} says of its coordinates. */
    @Test
    void everyBitIsThatOfTheDefinition() {
        ChaCha20 cipher = new ChaCha20(new int[] {1, 2, 3, 4, 5, 6, 7, 8}, 9, 10, 11);
        GaussianNoise noise = new GaussianNoise(cipher);
        GaussianNoise.Scratch scratch = new GaussianNoise.Scratch();
        int[] words = new int[ChaCha20.WORDS];
        double[] expected = new double[8];
        for (int tile : new int[] {0, 1, 7, (1 << 24) - 1}) {
            double[] actual = noise.tile(tile, scratch);
            for (int i = 0; i < ChaCha20.BLOCKS; i++) {
                cipher.blocks(tile * ChaCha20.BLOCKS + i, words);
                for (int k = 0; k < 8; k += 2) {
                    BoxMullerTest.pair(ChaCha20.word(words, 0, k), ChaCha20.word(words, 0, k + 1), expected, k);
                }
                assertArrayEquals(expected, Arrays.copyOfRange(actual, 8 * i, 8 * i + 8), "block " + i);
            }
        }
    }

    /** Bits of this code for the all-zero key and nonce, each within 2 ulp of 50-digit arithmetic on the RFC's key stream. */
    @Test
    void bitsAreFixed() {
        GaussianNoise noise = new GaussianNoise(new ChaCha20(new int[8], 0, 0, 0));
        double[] out = Arrays.copyOf(noise.tile(0, new GaussianNoise.Scratch()), 8);
        double[] golden = {
            0x1.285b2d625cf8ep-1,
            0x1.cd76dc87f092ep-1,
            0x1.764c9b4714d2ap-2,
            -0x1.0b97465a7282ap1,
            0x1.d99b92df3fap-3,
            0x1.10c6862a6093fp0,
            -0x1.08a212a27a918p1,
            -0x1.4f367c2a2a5e1p-2
        };
        assertArrayEquals(golden, out);
    }

    @Test
    void servesOneSumOnly() {
        GaussianNoise noise = RandomSource.secure().gaussian(Purpose.NOISE);
        noise.claim();
        assertThrows(IllegalStateException.class, noise::claim);
    }
}
