package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;
import static org.sapwood.tensor.simd.Lanes.V;
import static org.sapwood.tensor.simd.WinogradPoints.N0;
import static org.sapwood.tensor.simd.WinogradPoints.NP;
import static org.sapwood.tensor.simd.WinogradPoints.NQ;
import static org.sapwood.tensor.simd.WinogradPoints.P;
import static org.sapwood.tensor.simd.WinogradPoints.P2;
import static org.sapwood.tensor.simd.WinogradPoints.Q;
import static org.sapwood.tensor.simd.WinogradPoints.Q2;

import jdk.incubator.vector.FloatVector;

/** G of Winograd's convolution, the taps of a filter to {@link WinogradPoints}, and the rest of Gᵀ, which makes its gradient. */
final class WinogradFilters {
    private WinogradFilters() {}

    /** G: 3 taps to 6. */
    static void map(float[] g, int at, int stride, float[] u, int to, int step, int count) {
        for (int c = 0; c < count; c += V, at += V, to += V) {
            FloatVector g0 = FloatVector.fromArray(LANES, g, at);
            FloatVector g1 = FloatVector.fromArray(LANES, g, at + stride);
            FloatVector g2 = FloatVector.fromArray(LANES, g, at + 2 * stride);
            FloatVector evenP = g2.fma(FloatVector.broadcast(LANES, P2), g0).mul(NP);
            FloatVector evenQ = g2.fma(FloatVector.broadcast(LANES, Q2), g0).mul(NQ);
            g0.mul(N0).intoArray(u, to);
            g1.fma(FloatVector.broadcast(LANES, P * NP), evenP).intoArray(u, to + step);
            g2.intoArray(u, to + 2 * step);
            g1.fma(FloatVector.broadcast(LANES, -P * NP), evenP).intoArray(u, to + 3 * step);
            g1.fma(FloatVector.broadcast(LANES, Q * NQ), evenQ).intoArray(u, to + 4 * step);
            g1.fma(FloatVector.broadcast(LANES, -Q * NQ), evenQ).intoArray(u, to + 5 * step);
        }
    }

    /** The rest of Gᵀ: 6 products to the gradients of 3 taps. */
    static void mapGradients(float[] m, int at, int stride, float[] dg, int to, int step, int count) {
        for (int c = 0; c < count; c += V, at += V, to += V) {
            FloatVector m0 = FloatVector.fromArray(LANES, m, at);
            FloatVector m1 = FloatVector.fromArray(LANES, m, at + stride);
            FloatVector m2 = FloatVector.fromArray(LANES, m, at + 2 * stride);
            FloatVector m3 = FloatVector.fromArray(LANES, m, at + 3 * stride);
            FloatVector m4 = FloatVector.fromArray(LANES, m, at + 4 * stride);
            FloatVector m5 = FloatVector.fromArray(LANES, m, at + 5 * stride);
            FloatVector evenP = m1.add(m3);
            FloatVector oddP = m1.sub(m3).mul(P);
            FloatVector evenQ = m4.add(m5);
            FloatVector oddQ = m4.sub(m5);
            m0.add(evenP.add(evenQ)).intoArray(dg, to);
            oddQ.fma(FloatVector.broadcast(LANES, Q), oddP).intoArray(dg, to + step);
            evenP.fma(FloatVector.broadcast(LANES, P2), evenQ.fma(FloatVector.broadcast(LANES, Q2), m2))
                    .intoArray(dg, to + 2 * step);
        }
    }
}
