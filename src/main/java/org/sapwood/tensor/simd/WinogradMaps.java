package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;
import static org.sapwood.tensor.simd.Lanes.V;

import jdk.incubator.vector.FloatVector;

/**
 * The linear maps of Winograd's convolution F(4, 3) (Winograd 1980; Lavin and Gray 2016): with 6 inputs d, a filter g of 3
 * taps and its 4 outputs y, y = Aᵀ[(G g) ⊙ (Bᵀ d)] takes 6 multiplications where the definition takes 12. It is bilinear, so
 * that its transposes give both gradients: that of g is Gᵀ[(Bᵀ d) ⊙ (A dy)]. Applied along the rows and the columns of an
 * image it takes 36 instead of 144.
 *
 * <p>The maps follow from where polynomials are evaluated: 0, ±5/8, ±3/2 and ∞. The usual 0, ±1, ±2 would save nothing here,
 * where a factor comes free with an addition, and double the error (Barabasz et al. 2020).
 *
 * <p>Each method maps {@code count} neighbouring columns at once, a multiple of V: value i of a column is {@code stride}
 * after value i − 1, result i is {@code step} after result i − 1.
 */
final class WinogradMaps {
    private static final float P = 0.625f;
    private static final float Q = 1.5f;
    private static final float P2 = P * P;
    private static final float Q2 = Q * Q;
    private static final float P3 = P2 * P;
    private static final float Q3 = Q2 * Q;
    private static final float P2Q2 = P2 * Q2;
    private static final float P2_PLUS_Q2 = P2 + Q2;

    /** Reciprocals of Π(pᵢ − pⱼ) for the points 0, ±P and ±Q. */
    private static final float N0 = 1 / P2Q2;

    private static final float NP = 1 / (2 * P2 * (P2 - Q2));
    private static final float NQ = 1 / (2 * Q2 * (Q2 - P2));

    private WinogradMaps() {}

    /** Bᵀ: 6 inputs to 6. */
    static void inputs(float[] d, int at, int stride, float[] v, int to, int step, int count) {
        FloatVector minusP2 = FloatVector.broadcast(LANES, -P2);
        FloatVector minusQ2 = FloatVector.broadcast(LANES, -Q2);
        FloatVector product = FloatVector.broadcast(LANES, P2Q2);
        FloatVector minusSum = FloatVector.broadcast(LANES, -P2_PLUS_Q2);
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
            oddP.fma(FloatVector.broadcast(LANES, -P), evenP).intoArray(v, to + 2 * step);
            oddQ.fma(FloatVector.broadcast(LANES, Q), evenQ).intoArray(v, to + 3 * step);
            oddQ.fma(FloatVector.broadcast(LANES, -Q), evenQ).intoArray(v, to + 4 * step);
            d1.fma(product, d3.fma(minusSum, d5)).intoArray(v, to + 5 * step);
        }
    }

    /** G: 3 taps to 6. */
    static void taps(float[] g, int at, int stride, float[] u, int to, int step, int count) {
        for (int c = 0; c < count; c += V, at += V, to += V) {
            FloatVector g0 = FloatVector.fromArray(LANES, g, at);
            FloatVector g1 = FloatVector.fromArray(LANES, g, at + stride);
            FloatVector g2 = FloatVector.fromArray(LANES, g, at + 2 * stride);
            FloatVector evenP = g2.fma(FloatVector.broadcast(LANES, P2), g0).mul(NP);
            FloatVector evenQ = g2.fma(FloatVector.broadcast(LANES, Q2), g0).mul(NQ);
            g0.mul(N0).intoArray(u, to);
            g1.fma(FloatVector.broadcast(LANES, P * NP), evenP).intoArray(u, to + step);
            g1.fma(FloatVector.broadcast(LANES, -P * NP), evenP).intoArray(u, to + 2 * step);
            g1.fma(FloatVector.broadcast(LANES, Q * NQ), evenQ).intoArray(u, to + 3 * step);
            g1.fma(FloatVector.broadcast(LANES, -Q * NQ), evenQ).intoArray(u, to + 4 * step);
            g2.intoArray(u, to + 5 * step);
        }
    }

    /** Aᵀ: 6 products to 4 outputs. */
    static void outputs(float[] m, int at, int stride, float[] y, int to, int step, int count) {
        for (int c = 0; c < count; c += V, at += V, to += V) {
            FloatVector m0 = FloatVector.fromArray(LANES, m, at);
            FloatVector m1 = FloatVector.fromArray(LANES, m, at + stride);
            FloatVector m2 = FloatVector.fromArray(LANES, m, at + 2 * stride);
            FloatVector m3 = FloatVector.fromArray(LANES, m, at + 3 * stride);
            FloatVector m4 = FloatVector.fromArray(LANES, m, at + 4 * stride);
            FloatVector m5 = FloatVector.fromArray(LANES, m, at + 5 * stride);
            FloatVector evenP = m1.add(m2);
            FloatVector oddP = m1.sub(m2);
            FloatVector evenQ = m3.add(m4);
            FloatVector oddQ = m3.sub(m4);
            m0.add(evenP).add(evenQ).intoArray(y, to);
            oddQ.fma(FloatVector.broadcast(LANES, Q), oddP.mul(P)).intoArray(y, to + step);
            evenQ.fma(FloatVector.broadcast(LANES, Q2), evenP.mul(P2)).intoArray(y, to + 2 * step);
            oddQ.fma(FloatVector.broadcast(LANES, Q3), oddP.fma(FloatVector.broadcast(LANES, P3), m5))
                    .intoArray(y, to + 3 * step);
        }
    }

    /**
     * The first {@code wanted} outputs of Aᵀ, each added to what stands in {@code from} before it is written.
     *
     * @param fromStep from what one output is added to to the next; 0 if it is the same for all
     */
    static void outputs(
            float[] m,
            int at,
            int stride,
            float[] from,
            int fromAt,
            int fromStep,
            float[] y,
            int to,
            int step,
            int wanted,
            int count) {
        for (int c = 0; c < count; c += V, at += V, to += V, fromAt += V) {
            FloatVector m0 = FloatVector.fromArray(LANES, m, at);
            FloatVector m1 = FloatVector.fromArray(LANES, m, at + stride);
            FloatVector m2 = FloatVector.fromArray(LANES, m, at + 2 * stride);
            FloatVector m3 = FloatVector.fromArray(LANES, m, at + 3 * stride);
            FloatVector m4 = FloatVector.fromArray(LANES, m, at + 4 * stride);
            FloatVector m5 = FloatVector.fromArray(LANES, m, at + 5 * stride);
            FloatVector evenP = m1.add(m2);
            FloatVector oddP = m1.sub(m2);
            FloatVector evenQ = m3.add(m4);
            FloatVector oddQ = m3.sub(m4);
            m0.add(evenP)
                    .add(evenQ)
                    .add(FloatVector.fromArray(LANES, from, fromAt))
                    .intoArray(y, to);
            if (wanted > 1) {
                oddQ.fma(FloatVector.broadcast(LANES, Q), oddP.mul(P))
                        .add(FloatVector.fromArray(LANES, from, fromAt + fromStep))
                        .intoArray(y, to + step);
            }
            if (wanted > 2) {
                evenQ.fma(FloatVector.broadcast(LANES, Q2), evenP.mul(P2))
                        .add(FloatVector.fromArray(LANES, from, fromAt + 2 * fromStep))
                        .intoArray(y, to + 2 * step);
            }
            if (wanted > 3) {
                oddQ.fma(FloatVector.broadcast(LANES, Q3), oddP.fma(FloatVector.broadcast(LANES, P3), m5))
                        .add(FloatVector.fromArray(LANES, from, fromAt + 3 * fromStep))
                        .intoArray(y, to + 3 * step);
            }
        }
    }

    /** A, scaled by what G divides by: the gradients of 4 outputs to 6. */
    static void outputGradients(float[] dy, int at, int stride, float[] z, int to, int step, int count) {
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
            oddP.fma(FloatVector.broadcast(LANES, -P * NP), evenP).intoArray(z, to + 2 * step);
            oddQ.fma(FloatVector.broadcast(LANES, Q * NQ), evenQ).intoArray(z, to + 3 * step);
            oddQ.fma(FloatVector.broadcast(LANES, -Q * NQ), evenQ).intoArray(z, to + 4 * step);
            y3.intoArray(z, to + 5 * step);
        }
    }

    /** The rest of Gᵀ: 6 products to the gradients of 3 taps. */
    static void tapGradients(float[] m, int at, int stride, float[] dg, int to, int step, int count) {
        for (int c = 0; c < count; c += V, at += V, to += V) {
            FloatVector m0 = FloatVector.fromArray(LANES, m, at);
            FloatVector m1 = FloatVector.fromArray(LANES, m, at + stride);
            FloatVector m2 = FloatVector.fromArray(LANES, m, at + 2 * stride);
            FloatVector m3 = FloatVector.fromArray(LANES, m, at + 3 * stride);
            FloatVector m4 = FloatVector.fromArray(LANES, m, at + 4 * stride);
            FloatVector m5 = FloatVector.fromArray(LANES, m, at + 5 * stride);
            FloatVector evenP = m1.add(m2);
            FloatVector oddP = m1.sub(m2).mul(P);
            FloatVector evenQ = m3.add(m4);
            FloatVector oddQ = m3.sub(m4);
            m0.add(evenP.add(evenQ)).intoArray(dg, to);
            oddQ.fma(FloatVector.broadcast(LANES, Q), oddP).intoArray(dg, to + step);
            evenP.fma(FloatVector.broadcast(LANES, P2), evenQ.fma(FloatVector.broadcast(LANES, Q2), m5))
                    .intoArray(dg, to + 2 * step);
        }
    }
}
