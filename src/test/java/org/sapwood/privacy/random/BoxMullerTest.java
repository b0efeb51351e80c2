package org.sapwood.privacy.random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The polynomials against StrictMath, in units in the last place, and the ends of the range. */
class BoxMullerTest {

    private static double log(double x) {
        long exponent = BoxMuller.exponent(x);
        return BoxMuller.log((double) exponent, BoxMuller.mantissa(x, exponent));
    }

    private static double radius(long a) {
        double uniform = BoxMuller.uniform(a);
        long exponent = BoxMuller.exponent(uniform);
        return BoxMuller.radius((double) exponent, BoxMuller.mantissa(uniform, exponent));
    }

    /** The two normals of two words, r·cos and r·sin: the definition that devices follow. */
    static void pair(long a, long b, double[] out, int offset) {
        double r = radius(a);
        double t = BoxMuller.fraction(b);
        long quarters = BoxMuller.quarters(b);
        double c = r * BoxMuller.cosine(t);
        double s = r * BoxMuller.sine(t);
        // A quarter turn takes (c, s) to (−s, c).
        double x = (quarters & 1) == 0 ? c : s;
        double y = (quarters & 1) == 0 ? s : c;
        out[offset] = quarters == 1 || quarters == 2 ? -x : x;
        out[offset + 1] = quarters >= 2 ? -y : y;
    }

    private static double ulps(double actual, double expected) {
        return Math.abs(actual - expected) / Math.ulp(expected);
    }

    @Test
    void logarithmIsWithinTwoUlps() {
        SplittableRandom random = new SplittableRandom(11);
        double worst = 0;
        for (int i = 0; i < 500_000; i++) {
            double u = i % 2 == 0 ? random.nextDouble() : Math.scalb(1 + random.nextDouble(), -random.nextInt(65));
            if (u > 0 && u != 1) {
                worst = Math.max(worst, ulps(log(u), StrictMath.log(u)));
            }
        }
        assertTrue(worst <= 2, "log is off by " + worst + " ulp");
        assertEquals(0, log(1));
    }

    @Test
    void sineAndCosineAreWithinTwoUlps() {
        SplittableRandom random = new SplittableRandom(12);
        double worst = 0;
        for (int i = 0; i < 500_000; i++) {
            double t = random.nextDouble(-1, 1);
            // The angle rounded to a double moves the reference by half an ulp of the sine on top of its own error.
            worst = Math.max(worst, ulps(BoxMuller.sine(t), StrictMath.sin(t * (Math.PI / 4))));
            worst = Math.max(worst, ulps(BoxMuller.cosine(t), StrictMath.cos(t * (Math.PI / 4))));
        }
        assertTrue(worst <= 3, "sine or cosine is off by " + worst + " ulp");
    }

    @Test
    void angleIsExact() {
        SplittableRandom random = new SplittableRandom(13);
        double[] pair = new double[2];
        for (int i = 0; i < 100_000; i++) {
            long a = random.nextLong();
            long b = random.nextLong();
            pair(a, b, pair, 0);
            double turn = (double) (b >>> 11) * 0x1p-53;
            double r = radius(a);
            assertEquals(r * StrictMath.cos(2 * Math.PI * turn), pair[0], 1e-14);
            assertEquals(r * StrictMath.sin(2 * Math.PI * turn), pair[1], 1e-14);
        }
    }

    @Test
    void extremeUniformsGiveFiniteNormals() {
        double[] pair = new double[2];
        for (long a : new long[] {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            for (long b : new long[] {0, -1, 1L << 61, (1L << 61) - 1, 1L << 62, Long.MIN_VALUE, Long.MAX_VALUE}) {
                pair(a, b, pair, 0);
                assertTrue(Math.hypot(pair[0], pair[1]) <= 9.42, "a=" + a + " b=" + b);
            }
        }
        assertEquals(Math.sqrt(128 * Math.log(2)), radius(0), 1e-14);
        assertEquals(0, radius(-1), 0);
    }
}
