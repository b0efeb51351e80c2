package org.sapwood.privacy.random;

/**
 * Box–Muller in fp64 from two 64-bit uniforms, defined to the bit.
 *
 * <p>Only operations that IEEE 754 rounds correctly are used (integer to double, +, −, ×, ÷, √, fma), in a fixed
 * order, with the polynomials below. Any implementation that follows it, in Java or on a GPU, gives the same bits.
 * Here they are apart, so that {@link GaussianNoise} can put each in a loop that the compiler turns into vector
 * instructions.
 *
 * <p>Radius: u = ((a ≫ 1) + ½)·2⁻⁶³ ∈ (0, 1], r = √(−2 ln u) ≤ 9.42. Angle: the 64 bits of b are a binary fraction of a
 * full turn; the nearest quarter turn is taken off exactly, in integers, and the rest t ∈ [−1, 1) stands for tπ/4.
 * Measured against StrictMath the logarithm is within 2 ulp, sine and cosine within 3 ulp (BoxMullerTest).
 */
final class BoxMuller {

    private static final double LN2_HIGH = 0.6931467056274414; // 21 trailing zero bits: exact when times an exponent
    private static final double LN2_LOW = 4.749325039031673e-07;

    // ln m = s·(2 + z·R(z)), s = (m − 1)/(m + 1), z = s² ≤ 0.0295: Chebyshev interpolation, error 2.1e-18.
    private static final double R0 = 0.6666666666666666;
    private static final double R1 = 0.4000000000000088;
    private static final double R2 = 0.28571428570803614;
    private static final double R3 = 0.22222222391713917;
    private static final double R4 = 0.18181795640132906;
    private static final double R5 = 0.15386239702814658;
    private static final double R6 = 0.13268773138656886;
    private static final double R7 = 0.13086626147840102;

    // sin(tπ/4) = t·(π/4 + z·S(z)) and cos(tπ/4) = 1 + z·C(z), z = t² ≤ 1: errors 9.9e-18 and 1.2e-19.
    private static final double QUARTER_PI = 0.7853981633974483;
    private static final double S0 = -0.08074551218828077;
    private static final double S1 = 0.0024903945701920073;
    private static final double S2 = -3.6576204173860995e-05;
    private static final double S3 = 3.133616535431528e-07;
    private static final double S4 = -1.7571791752800344e-09;
    private static final double S5 = 6.8874821400921975e-12;
    private static final double C0 = -0.30842513753404244;
    private static final double C1 = 0.015854344243815488;
    private static final double C2 = -0.0003259918869271996;
    private static final double C3 = 3.590860447448612e-06;
    private static final double C4 = -2.4611366238309744e-08;
    private static final double C5 = 1.1500679700940496e-10;
    private static final double C6 = -3.863156948832656e-13;

    private static final double TWO_TO_MINUS_63 = 0x1p-63;
    private static final double TWO_TO_MINUS_61 = 0x1p-61;
    private static final long SQRT_HALF_BITS = 0x3FE6A09E667F3BCDL;

    private BoxMuller() {}

    /** The uniform u of the first word. */
    static double uniform(long a) {
        return ((double) (a >>> 1) + 0.5) * TWO_TO_MINUS_63;
    }

    /** The exponent e of a normal positive number x = 2^e · m with m in [√½, √2). */
    static long exponent(double x) {
        return (Double.doubleToRawLongBits(x) - SQRT_HALF_BITS) >> 52;
    }

    /** The m that belongs to it. */
    static double mantissa(double x, long exponent) {
        return Double.longBitsToDouble(Double.doubleToRawLongBits(x) - (exponent << 52));
    }

    /** Natural logarithm of 2^e · m. */
    static double log(double e, double m) {
        double f = m - 1;
        double s = f / (m + 1);
        double z = s * s;
        double r = Math.fma(z, R7, R6);
        r = Math.fma(z, r, R5);
        r = Math.fma(z, r, R4);
        r = Math.fma(z, r, R3);
        r = Math.fma(z, r, R2);
        r = Math.fma(z, r, R1);
        r = Math.fma(z, r, R0);
        // 2s = f − s·f, so the rounding of s only touches the small terms.
        double tail = Math.fma(s, Math.fma(z, r, -f), e * LN2_LOW);
        return Math.fma(e, LN2_HIGH, f + tail);
    }

    /** The radius from the parts of a uniform. */
    static double radius(double e, double m) {
        return Math.sqrt(-2 * log(e, m));
    }

    /** The part of an angle within its quarter turn: t in [−1, 1), for the angle tπ/4. */
    static double fraction(long b) {
        return (double) ((b << 2) >> 2) * TWO_TO_MINUS_61;
    }

    /** The quarter turns of an angle, 0 … 3, so that angle = (2 · quarters + fraction) · π/4. */
    static long quarters(long b) {
        return (b - ((b << 2) >> 2)) >>> 62;
    }

    /** sin(tπ/4) for |t| ≤ 1. */
    static double sine(double t) {
        double z = t * t;
        double s = Math.fma(z, S5, S4);
        s = Math.fma(z, s, S3);
        s = Math.fma(z, s, S2);
        s = Math.fma(z, s, S1);
        s = Math.fma(z, s, S0);
        return t * Math.fma(z, s, QUARTER_PI);
    }

    /** cos(tπ/4) for |t| ≤ 1. */
    static double cosine(double t) {
        double z = t * t;
        double c = Math.fma(z, C6, C5);
        c = Math.fma(z, c, C4);
        c = Math.fma(z, c, C3);
        c = Math.fma(z, c, C2);
        c = Math.fma(z, c, C1);
        c = Math.fma(z, c, C0);
        return Math.fma(z, c, 1);
    }

    /** cos(qπ/2) for q = 0 … 3. */
    static double quarterCosine(long q) {
        return (double) ((1 - q) * (1 - (q & 1)));
    }

    /** sin(qπ/2) for q = 0 … 3. */
    static double quarterSine(long q) {
        return (double) ((2 - q) * (q & 1));
    }
}
