package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Transcendental functions on vectors, without the float-to-int conversion that the Vector API compiles badly. */
@SuppressWarnings("FloatingPointLiteralPrecision") // coefficients as they were published
final class VectorMath {
    /**
     * 1.5·2²³ + 127: adding it to |v| &lt; 2²² rounds v to an integer n, ties to even, and leaves n + 127, the exponent
     * field of 2ⁿ, in the low bits.
     */
    private static final float ROUND = 0x1.8p23f + 127;

    private static final float LOG2_E = 1.442695041f;

    /** ln 2 in two parts; the high one has trailing zeros, so n times it is exact. */
    private static final float LN2_HIGH = 0.693359375f;

    private static final float LN2_LOW = -2.12194440e-4f;

    /** Above this 2ⁿ would need an exponent of 128: the result is +∞ (the true value passes 2.3e38 here). */
    private static final float EXP_MAX = 88.37f;

    /** Below this the result is subnormal: it is 0. */
    private static final float EXP_MIN = -87.33f;

    /** 1/√(2π), which makes a density of {@link #bell}. */
    static final float DENSITY = 0.3989422804f;

    private VectorMath() {}

    /** eˣ within 2 ulp; 0 below −87.33, +∞ above 88.37, NaN for NaN. Polynomial of Cephes' expf (Moshier 1992). */
    static FloatVector exp(FloatVector x) {
        FloatVector shifted = x.fma(FloatVector.broadcast(LANES, LOG2_E), FloatVector.broadcast(LANES, ROUND));
        FloatVector n = shifted.sub(ROUND);
        FloatVector r = n.fma(FloatVector.broadcast(LANES, -LN2_HIGH), x);
        r = n.fma(FloatVector.broadcast(LANES, -LN2_LOW), r);
        FloatVector p = FloatVector.broadcast(LANES, 1.9875691500e-4f);
        p = p.fma(r, FloatVector.broadcast(LANES, 1.3981999507e-3f));
        p = p.fma(r, FloatVector.broadcast(LANES, 8.3334519073e-3f));
        p = p.fma(r, FloatVector.broadcast(LANES, 4.1665795894e-2f));
        p = p.fma(r, FloatVector.broadcast(LANES, 1.6666665459e-1f));
        p = p.fma(r, FloatVector.broadcast(LANES, 5.0000001201e-1f));
        p = p.fma(r.mul(r), r).add(1f);
        FloatVector power =
                shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        return p.mul(power)
                .blend(0f, x.compare(VectorOperators.LT, EXP_MIN))
                .blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, EXP_MAX));
    }

    /** 1 / (1 + e⁻ˣ); exactly 0 below −88.37 and exactly 1 above 17.4. */
    static FloatVector sigmoid(FloatVector x) {
        return FloatVector.broadcast(LANES, 1f).div(exp(x.neg()).add(1f));
    }

    /**
     * Derivative of x·σ(x): σ·(1 + x·(1 − σ)). With 1 − σ taken as e⁻ˣ·σ, since a difference from 1 would lose the digits
     * that a large x multiplies.
     */
    static FloatVector siluSlope(FloatVector x) {
        FloatVector one = FloatVector.broadcast(LANES, 1f);
        FloatVector e = exp(x.neg());
        FloatVector sigmoid = one.div(e.add(one));
        FloatVector complement = e.mul(sigmoid).blend(1f, x.compare(VectorOperators.LT, -EXP_MAX));
        return x.fma(complement, one).mul(sigmoid);
    }

    /**
     * tanh(x) within 5·2⁻²⁴ of its value. Near 0 the polynomial of Cephes' tanhf (Moshier 1992), whose result is as exact
     * as x is; beyond, 1 − 2/(e²ˣ + 1).
     */
    static FloatVector tanh(FloatVector x) {
        FloatVector square = x.mul(x);
        FloatVector p = FloatVector.broadcast(LANES, -5.70498872745e-3f);
        p = p.fma(square, FloatVector.broadcast(LANES, 2.06390887954e-2f));
        p = p.fma(square, FloatVector.broadcast(LANES, -5.37397155531e-2f));
        p = p.fma(square, FloatVector.broadcast(LANES, 1.33314422036e-1f));
        p = p.fma(square, FloatVector.broadcast(LANES, -3.33332819422e-1f));
        FloatVector small = p.fma(square.mul(x), x);
        FloatVector one = FloatVector.broadcast(LANES, 1f);
        FloatVector large = one.sub(one.add(one).div(exp(x.add(x)).add(1f)));
        return large.blend(small, x.abs().compare(VectorOperators.LT, 0.625f));
    }

    /** e^(−x²/2), the density of the standard normal but for its factor 1/√(2π). */
    static FloatVector bell(FloatVector x) {
        return exp(x.mul(x).mul(-0.5f));
    }

    /**
     * The distribution function Φ of the standard normal, within 2⁻²² everywhere, within 2⁻²¹ of its value above x = −2.3,
     * and within 2⁻¹⁷ of it above −13, where the rounding of x² shows.
     *
     * <p>For x &lt; 0 it is e^(−x²/2)·t·P(t) with t = 1/(1 + 0.33·|x|), the form of Zelen and Severo (Abramowitz and Stegun
     * 1964, formula 26.2.17) with a polynomial of degree 8 that was fitted for the least relative error (6e-8 on [0, 14]),
     * so that nothing cancels. For x ≥ 0 it is what that leaves of 1.
     *
     * @param bell of x
     */
    static FloatVector normal(FloatVector x, FloatVector bell) {
        FloatVector one = FloatVector.broadcast(LANES, 1f);
        FloatVector t = one.div(x.abs().fma(FloatVector.broadcast(LANES, 0.33f), one));
        FloatVector p = FloatVector.broadcast(LANES, -0.020659996f);
        p = p.fma(t, FloatVector.broadcast(LANES, 0.12237931f));
        p = p.fma(t, FloatVector.broadcast(LANES, -0.2657778f));
        p = p.fma(t, FloatVector.broadcast(LANES, 0.22306965f));
        p = p.fma(t, FloatVector.broadcast(LANES, -0.055487048f));
        p = p.fma(t, FloatVector.broadcast(LANES, 0.1213945f));
        p = p.fma(t, FloatVector.broadcast(LANES, 0.11116943f));
        p = p.fma(t, FloatVector.broadcast(LANES, 0.13228905f));
        p = p.fma(t, FloatVector.broadcast(LANES, 0.13162293f));
        FloatVector tail = p.mul(t).mul(bell);
        return one.sub(tail).blend(tail, x.compare(VectorOperators.LT, 0f));
    }
}
