package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;
import static org.sapwood.tensor.simd.Lanes.V;
import static org.sapwood.tensor.simd.WinogradPoints.P;
import static org.sapwood.tensor.simd.WinogradPoints.P2;
import static org.sapwood.tensor.simd.WinogradPoints.P2Q2;
import static org.sapwood.tensor.simd.WinogradPoints.Q;
import static org.sapwood.tensor.simd.WinogradPoints.Q2;

import jdk.incubator.vector.FloatVector;

/**
 * Bᵀ of Winograd's convolution: inputs to {@link WinogradPoints}. Row i holds the coefficients of M(z) / (z − pᵢ), where the
 * roots of M are the points but ∞, whose row are those of M; with k &lt; 6 points times Π(pᵢ − pⱼ) over the points that are
 * left out.
 */
final class WinogradInputs {
    private WinogradInputs() {}

    /** {@code points} inputs to as many values. */
    static void map(int points, float[] d, int at, int stride, float[] v, int to, int step, int count) {
        switch (points) {
            case 3 -> from3(d, at, stride, v, to, step, count);
            case 4 -> from4(d, at, stride, v, to, step, count);
            case 5 -> from5(d, at, stride, v, to, step, count);
            default -> from6(d, at, stride, v, to, step, count);
        }
    }

    private static void from6(float[] d, int at, int stride, float[] v, int to, int step, int count) {
        FloatVector minusP2 = FloatVector.broadcast(LANES, -P2);
        FloatVector minusQ2 = FloatVector.broadcast(LANES, -Q2);
        FloatVector product = FloatVector.broadcast(LANES, P2Q2);
        FloatVector minusSum = FloatVector.broadcast(LANES, -(P2 + Q2));
        for (int c = 0; c < count; c += V, at += V, to += V) {
            FloatVector d0 = FloatVector.fromArray(LANES, d, at);
            FloatVector d1 = FloatVector.fromArray(LANES, d, at + stride);
            FloatVector d2 = FloatVector.fromArray(LANES, d, at + 2 * stride);
            FloatVector d3 = FloatVector.fromArray(LANES, d, at + 3 * stride);
            FloatVector d4 = FloatVector.fromArray(LANES, d, at + 4 * stride);
            FloatVector d5 = FloatVector.fromArray(LANES, d, at + 5 * stride);
            FloatVector evenP = d2.fma(minusQ2, d4);
            FloatVector oddP = d1.fma(minusQ2, d3);
            FloatVector evenQ = d2.fma(minusP2, d4);
            FloatVector oddQ = d1.fma(minusP2, d3);
            d0.fma(product, d2.fma(minusSum, d4)).intoArray(v, to);
            oddP.fma(FloatVector.broadcast(LANES, P), evenP).intoArray(v, to + step);
            d1.fma(product, d3.fma(minusSum, d5)).intoArray(v, to + 2 * step);
            oddP.fma(FloatVector.broadcast(LANES, -P), evenP).intoArray(v, to + 3 * step);
            oddQ.fma(FloatVector.broadcast(LANES, Q), evenQ).intoArray(v, to + 4 * step);
            oddQ.fma(FloatVector.broadcast(LANES, -Q), evenQ).intoArray(v, to + 5 * step);
        }
    }

    private static void from5(float[] d, int at, int stride, float[] v, int to, int step, int count) {
        FloatVector minusP2 = FloatVector.broadcast(LANES, -P2);
        FloatVector minusQ = FloatVector.broadcast(LANES, -Q);
        for (int c = 0; c < count; c += V, at += V, to += V) {
            FloatVector d0 = FloatVector.fromArray(LANES, d, at);
            FloatVector d1 = FloatVector.fromArray(LANES, d, at + stride);
            FloatVector d2 = FloatVector.fromArray(LANES, d, at + 2 * stride);
            FloatVector d3 = FloatVector.fromArray(LANES, d, at + 3 * stride);
            FloatVector d4 = FloatVector.fromArray(LANES, d, at + 4 * stride);
            FloatVector low = d1.fma(minusP2, d3);
            FloatVector high = d2.fma(minusP2, d4);
            FloatVector even = d1.fma(FloatVector.broadcast(LANES, -P * Q), d3);
            FloatVector odd = d1.fma(FloatVector.broadcast(LANES, P * Q), d3);
            d0.fma(FloatVector.broadcast(LANES, P2Q2), low.fma(FloatVector.broadcast(LANES, Q), d2.mul(-Q2)))
                    .intoArray(v, to);
            d2.fma(FloatVector.broadcast(LANES, P - Q), even).mul(P + Q).intoArray(v, to + step);
            low.fma(minusQ, high).intoArray(v, to + 2 * step);
            d2.fma(FloatVector.broadcast(LANES, -(P + Q)), odd).mul(Q - P).intoArray(v, to + 3 * step);
            low.mul(2 * Q).intoArray(v, to + 4 * step);
        }
    }

    private static void from4(float[] d, int at, int stride, float[] v, int to, int step, int count) {
        for (int c = 0; c < count; c += V, at += V, to += V) {
            FloatVector d0 = FloatVector.fromArray(LANES, d, at);
            FloatVector d1 = FloatVector.fromArray(LANES, d, at + stride);
            FloatVector d2 = FloatVector.fromArray(LANES, d, at + 2 * stride);
            FloatVector d3 = FloatVector.fromArray(LANES, d, at + 3 * stride);
            FloatVector even = d2.mul(P2 - Q2);
            d0.fma(FloatVector.broadcast(LANES, P2Q2), d2.mul(-Q2)).intoArray(v, to);
            d1.fma(FloatVector.broadcast(LANES, P * (P2 - Q2)), even).intoArray(v, to + step);
            d1.fma(FloatVector.broadcast(LANES, -P2), d3).intoArray(v, to + 2 * step);
            d1.fma(FloatVector.broadcast(LANES, -P * (P2 - Q2)), even).intoArray(v, to + 3 * step);
        }
    }

    private static void from3(float[] d, int at, int stride, float[] v, int to, int step, int count) {
        for (int c = 0; c < count; c += V, at += V, to += V) {
            FloatVector d0 = FloatVector.fromArray(LANES, d, at);
            FloatVector d1 = FloatVector.fromArray(LANES, d, at + stride);
            FloatVector d2 = FloatVector.fromArray(LANES, d, at + 2 * stride);
            d0.fma(FloatVector.broadcast(LANES, P2Q2), d1.mul(-P * Q2)).intoArray(v, to);
            d1.mul(2 * P * (P2 - Q2)).intoArray(v, to + step);
            d1.fma(FloatVector.broadcast(LANES, -P), d2).intoArray(v, to + 2 * step);
        }
    }
}
