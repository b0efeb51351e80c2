package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;
import static org.sapwood.tensor.simd.Lanes.V;
import static org.sapwood.tensor.simd.WinogradPoints.N0;
import static org.sapwood.tensor.simd.WinogradPoints.NP;
import static org.sapwood.tensor.simd.WinogradPoints.NQ;
import static org.sapwood.tensor.simd.WinogradPoints.P;
import static org.sapwood.tensor.simd.WinogradPoints.P2;
import static org.sapwood.tensor.simd.WinogradPoints.P3;
import static org.sapwood.tensor.simd.WinogradPoints.Q;
import static org.sapwood.tensor.simd.WinogradPoints.Q2;
import static org.sapwood.tensor.simd.WinogradPoints.Q3;

import jdk.incubator.vector.FloatVector;

/**
 * Aᵀ of Winograd's convolution, products at {@link WinogradPoints} to outputs, and A, gradients of outputs to points. Column i
 * of Aᵀ holds the powers of pᵢ; that of ∞ is the last output's alone.
 */
final class WinogradOutputs {
    private WinogradOutputs() {}

    /**
     * Products at {@code points} points to two outputs fewer, each added to what stands in {@code from} before it is written.
     *
     * @param fromStep from what one output is added to to the next; 0 if it is the same for all
     */
    static void map(
            int points,
            float[] m,
            int at,
            int stride,
            float[] from,
            int fromAt,
            int fromStep,
            float[] y,
            int to,
            int step,
            int count) {
        switch (points) {
            case 3 -> from3(m, at, stride, from, fromAt, y, to, count);
            case 4 -> from4(m, at, stride, from, fromAt, fromStep, y, to, step, count);
            case 5 -> from5(m, at, stride, from, fromAt, fromStep, y, to, step, count);
            default -> from6(m, at, stride, from, fromAt, fromStep, y, to, step, count);
        }
    }

    private static void from6(
            float[] m,
            int at,
            int stride,
            float[] from,
            int fromAt,
            int fromStep,
            float[] y,
            int to,
            int step,
            int count) {
        for (int c = 0; c < count; c += V, at += V, to += V, fromAt += V) {
            FloatVector m0 = FloatVector.fromArray(LANES, m, at);
            FloatVector m1 = FloatVector.fromArray(LANES, m, at + stride);
            FloatVector m2 = FloatVector.fromArray(LANES, m, at + 2 * stride);
            FloatVector m3 = FloatVector.fromArray(LANES, m, at + 3 * stride);
            FloatVector m4 = FloatVector.fromArray(LANES, m, at + 4 * stride);
            FloatVector m5 = FloatVector.fromArray(LANES, m, at + 5 * stride);
            FloatVector evenP = m1.add(m3);
            FloatVector oddP = m1.sub(m3);
            FloatVector evenQ = m4.add(m5);
            FloatVector oddQ = m4.sub(m5);
            m0.add(evenP)
                    .add(evenQ)
                    .add(FloatVector.fromArray(LANES, from, fromAt))
                    .intoArray(y, to);
            oddQ.fma(FloatVector.broadcast(LANES, Q), oddP.mul(P))
                    .add(FloatVector.fromArray(LANES, from, fromAt + fromStep))
                    .intoArray(y, to + step);
            evenQ.fma(FloatVector.broadcast(LANES, Q2), evenP.mul(P2))
                    .add(FloatVector.fromArray(LANES, from, fromAt + 2 * fromStep))
                    .intoArray(y, to + 2 * step);
            oddQ.fma(FloatVector.broadcast(LANES, Q3), oddP.fma(FloatVector.broadcast(LANES, P3), m2))
                    .add(FloatVector.fromArray(LANES, from, fromAt + 3 * fromStep))
                    .intoArray(y, to + 3 * step);
        }
    }

    private static void from5(
            float[] m,
            int at,
            int stride,
            float[] from,
            int fromAt,
            int fromStep,
            float[] y,
            int to,
            int step,
            int count) {
        for (int c = 0; c < count; c += V, at += V, to += V, fromAt += V) {
            FloatVector m0 = FloatVector.fromArray(LANES, m, at);
            FloatVector m1 = FloatVector.fromArray(LANES, m, at + stride);
            FloatVector m2 = FloatVector.fromArray(LANES, m, at + 2 * stride);
            FloatVector m3 = FloatVector.fromArray(LANES, m, at + 3 * stride);
            FloatVector m4 = FloatVector.fromArray(LANES, m, at + 4 * stride);
            FloatVector even = m1.add(m3);
            FloatVector odd = m1.sub(m3);
            m0.add(even).add(m4).add(FloatVector.fromArray(LANES, from, fromAt)).intoArray(y, to);
            m4.fma(FloatVector.broadcast(LANES, Q), odd.mul(P))
                    .add(FloatVector.fromArray(LANES, from, fromAt + fromStep))
                    .intoArray(y, to + step);
            m4.fma(FloatVector.broadcast(LANES, Q2), even.fma(FloatVector.broadcast(LANES, P2), m2))
                    .add(FloatVector.fromArray(LANES, from, fromAt + 2 * fromStep))
                    .intoArray(y, to + 2 * step);
        }
    }

    private static void from4(
            float[] m,
            int at,
            int stride,
            float[] from,
            int fromAt,
            int fromStep,
            float[] y,
            int to,
            int step,
            int count) {
        for (int c = 0; c < count; c += V, at += V, to += V, fromAt += V) {
            FloatVector m0 = FloatVector.fromArray(LANES, m, at);
            FloatVector m1 = FloatVector.fromArray(LANES, m, at + stride);
            FloatVector m2 = FloatVector.fromArray(LANES, m, at + 2 * stride);
            FloatVector m3 = FloatVector.fromArray(LANES, m, at + 3 * stride);
            m0.add(m1).add(m3).add(FloatVector.fromArray(LANES, from, fromAt)).intoArray(y, to);
            m1.sub(m3)
                    .fma(FloatVector.broadcast(LANES, P), m2)
                    .add(FloatVector.fromArray(LANES, from, fromAt + fromStep))
                    .intoArray(y, to + step);
        }
    }

    private static void from3(float[] m, int at, int stride, float[] from, int fromAt, float[] y, int to, int count) {
        for (int c = 0; c < count; c += V, at += V, to += V, fromAt += V) {
            FloatVector m0 = FloatVector.fromArray(LANES, m, at);
            FloatVector m1 = FloatVector.fromArray(LANES, m, at + stride);
            FloatVector m2 = FloatVector.fromArray(LANES, m, at + 2 * stride);
            m0.add(m1).add(m2).add(FloatVector.fromArray(LANES, from, fromAt)).intoArray(y, to);
        }
    }

    /** A, scaled by what G divides by: the gradients of two outputs fewer to {@code points} values. */
    static void mapGradients(int points, float[] dy, int at, int stride, float[] z, int to, int step, int count) {
        switch (points) {
            case 3 -> to3(dy, at, z, to, step, count);
            case 4 -> to4(dy, at, stride, z, to, step, count);
            case 5 -> to5(dy, at, stride, z, to, step, count);
            default -> to6(dy, at, stride, z, to, step, count);
        }
    }

    private static void to6(float[] dy, int at, int stride, float[] z, int to, int step, int count) {
        for (int c = 0; c < count; c += V, at += V, to += V) {
            FloatVector y0 = FloatVector.fromArray(LANES, dy, at);
            FloatVector y1 = FloatVector.fromArray(LANES, dy, at + stride);
            FloatVector y2 = FloatVector.fromArray(LANES, dy, at + 2 * stride);
            FloatVector y3 = FloatVector.fromArray(LANES, dy, at + 3 * stride);
            FloatVector evenP = y2.fma(FloatVector.broadcast(LANES, P2), y0).mul(NP);
            FloatVector oddP = y3.fma(FloatVector.broadcast(LANES, P2), y1);
            FloatVector evenQ = y2.fma(FloatVector.broadcast(LANES, Q2), y0).mul(NQ);
            FloatVector oddQ = y3.fma(FloatVector.broadcast(LANES, Q2), y1);
            y0.mul(N0).intoArray(z, to);
            oddP.fma(FloatVector.broadcast(LANES, P * NP), evenP).intoArray(z, to + step);
            y3.intoArray(z, to + 2 * step);
            oddP.fma(FloatVector.broadcast(LANES, -P * NP), evenP).intoArray(z, to + 3 * step);
            oddQ.fma(FloatVector.broadcast(LANES, Q * NQ), evenQ).intoArray(z, to + 4 * step);
            oddQ.fma(FloatVector.broadcast(LANES, -Q * NQ), evenQ).intoArray(z, to + 5 * step);
        }
    }

    private static void to5(float[] dy, int at, int stride, float[] z, int to, int step, int count) {
        for (int c = 0; c < count; c += V, at += V, to += V) {
            FloatVector y0 = FloatVector.fromArray(LANES, dy, at);
            FloatVector y1 = FloatVector.fromArray(LANES, dy, at + stride);
            FloatVector y2 = FloatVector.fromArray(LANES, dy, at + 2 * stride);
            FloatVector even = y2.fma(FloatVector.broadcast(LANES, P2), y0).mul(NP);
            y0.mul(N0).intoArray(z, to);
            y1.fma(FloatVector.broadcast(LANES, P * NP), even).intoArray(z, to + step);
            y2.intoArray(z, to + 2 * step);
            y1.fma(FloatVector.broadcast(LANES, -P * NP), even).intoArray(z, to + 3 * step);
            y2.fma(FloatVector.broadcast(LANES, Q2), y1.fma(FloatVector.broadcast(LANES, Q), y0))
                    .mul(NQ)
                    .intoArray(z, to + 4 * step);
        }
    }

    private static void to4(float[] dy, int at, int stride, float[] z, int to, int step, int count) {
        for (int c = 0; c < count; c += V, at += V, to += V) {
            FloatVector y0 = FloatVector.fromArray(LANES, dy, at);
            FloatVector y1 = FloatVector.fromArray(LANES, dy, at + stride);
            FloatVector even = y0.mul(NP);
            y0.mul(N0).intoArray(z, to);
            y1.fma(FloatVector.broadcast(LANES, P * NP), even).intoArray(z, to + step);
            y1.intoArray(z, to + 2 * step);
            y1.fma(FloatVector.broadcast(LANES, -P * NP), even).intoArray(z, to + 3 * step);
        }
    }

    private static void to3(float[] dy, int at, float[] z, int to, int step, int count) {
        for (int c = 0; c < count; c += V, at += V, to += V) {
            FloatVector y0 = FloatVector.fromArray(LANES, dy, at);
            y0.mul(N0).intoArray(z, to);
            y0.mul(NP).intoArray(z, to + step);
            y0.intoArray(z, to + 2 * step);
        }
    }
}
