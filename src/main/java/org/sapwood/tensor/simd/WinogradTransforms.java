package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;
import static org.sapwood.tensor.simd.Lanes.V;

import jdk.incubator.vector.FloatVector;

/**
 * The linear maps of Winograd's convolution F(4×4, 3×3) (Winograd 1980; Lavin and Gray 2016): with a 6×6 patch d, a filter
 * g and the 4×4 outputs y, y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A takes 36 multiplications where the definition takes 144. It is
 * bilinear, so that its transposes give both gradients: that of g is Gᵀ[(Bᵀ d B) ⊙ (A dy Aᵀ)]G.
 *
 * <p>The maps follow from where polynomials are evaluated: 0, ±{@value #P}, ±{@value #Q} and ∞. The usual 0, ±1, ±2 would
 * save nothing here, where a factor comes free with an addition, and double the error (Barabasz et al. 2020): the error of
 * a convolution of 64 channels is twice that of the plain sum of products with these, four times with those.
 *
 * <p>Vectors run along channels. Each map is applied to the columns, then to the rows, by way of {@code temporary}, 36
 * vectors, which the registers would not hold. A transformed tile has its 36 values {@code step} apart.
 */
final class WinogradTransforms {
    /** Edge of the square of outputs that a tile makes. */
    static final int OUTPUTS = 4;

    /** Edge of a tile: of the patch that the outputs depend on. */
    static final int EDGE = 6;

    /** Products per tile, input channel and output channel. */
    static final int PRODUCTS = EDGE * EDGE;

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

    private WinogradTransforms() {}

    /**
     * v = Bᵀ d B of one patch.
     *
     * @param rowStride between rows of the patch
     * @param channels multiple of V, as in all of these
     */
    static void patch(
            float[] d, int at, int rowStride, int channels, float[] v, int to, int step, float[] temporary) {
        for (int c = 0; c < channels; c += V) {
            for (int j = 0; j < EDGE; j++) {
                patchLine(d, at + c + j * channels, rowStride, temporary, j * V, EDGE * V);
            }
            for (int i = 0; i < EDGE; i++) {
                patchLine(temporary, i * EDGE * V, V, v, to + c + i * EDGE * step, step);
            }
        }
    }

    private static void patchLine(float[] d, int at, int stride, float[] v, int to, int step) {
        FloatVector d0 = FloatVector.fromArray(LANES, d, at);
        FloatVector d1 = FloatVector.fromArray(LANES, d, at + stride);
        FloatVector d2 = FloatVector.fromArray(LANES, d, at + 2 * stride);
        FloatVector d3 = FloatVector.fromArray(LANES, d, at + 3 * stride);
        FloatVector d4 = FloatVector.fromArray(LANES, d, at + 4 * stride);
        FloatVector d5 = FloatVector.fromArray(LANES, d, at + 5 * stride);
        FloatVector minusQ2 = FloatVector.broadcast(LANES, -Q2);
        FloatVector minusP2 = FloatVector.broadcast(LANES, -P2);
        FloatVector product = FloatVector.broadcast(LANES, P2Q2);
        FloatVector minusSum = FloatVector.broadcast(LANES, -P2_PLUS_Q2);
        d0.fma(product, d2.fma(minusSum, d4)).intoArray(v, to);
        FloatVector even = d2.fma(minusQ2, d4);
        FloatVector odd = d1.fma(minusQ2, d3);
        odd.fma(FloatVector.broadcast(LANES, P), even).intoArray(v, to + step);
        odd.fma(FloatVector.broadcast(LANES, -P), even).intoArray(v, to + 2 * step);
        even = d2.fma(minusP2, d4);
        odd = d1.fma(minusP2, d3);
        odd.fma(FloatVector.broadcast(LANES, Q), even).intoArray(v, to + 3 * step);
        odd.fma(FloatVector.broadcast(LANES, -Q), even).intoArray(v, to + 4 * step);
        d1.fma(product, d3.fma(minusSum, d5)).intoArray(v, to + 5 * step);
    }

    /**
     * u = G g Gᵀ of the filters of one input channel, or of one output channel of a transposed weight.
     *
     * @param tap from one of the nine taps to the next
     */
    static void filter(float[] g, int at, int tap, int channels, float[] u, int to, int step, float[] temporary) {
        for (int c = 0; c < channels; c += V) {
            for (int j = 0; j < 3; j++) {
                filterLine(g, at + c + j * tap, 3 * tap, temporary, j * V, 3 * V);
            }
            for (int i = 0; i < EDGE; i++) {
                filterLine(temporary, i * 3 * V, V, u, to + c + i * EDGE * step, step);
            }
        }
    }

    private static void filterLine(float[] g, int at, int stride, float[] u, int to, int step) {
        FloatVector g0 = FloatVector.fromArray(LANES, g, at);
        FloatVector g1 = FloatVector.fromArray(LANES, g, at + stride);
        FloatVector g2 = FloatVector.fromArray(LANES, g, at + 2 * stride);
        g0.mul(N0).intoArray(u, to);
        FloatVector even = g2.fma(FloatVector.broadcast(LANES, P2), g0).mul(NP);
        g1.fma(FloatVector.broadcast(LANES, P * NP), even).intoArray(u, to + step);
        g1.fma(FloatVector.broadcast(LANES, -P * NP), even).intoArray(u, to + 2 * step);
        even = g2.fma(FloatVector.broadcast(LANES, Q2), g0).mul(NQ);
        g1.fma(FloatVector.broadcast(LANES, Q * NQ), even).intoArray(u, to + 3 * step);
        g1.fma(FloatVector.broadcast(LANES, -Q * NQ), even).intoArray(u, to + 4 * step);
        g2.intoArray(u, to + 5 * step);
    }

    /**
     * y = from + Aᵀ m A, of which {@code rows} × {@code columns} are written.
     *
     * @param from what the outputs are added to: y itself, or one row of channels for all of them, whose strides are 0
     */
    static void outputs(
            float[] m,
            int at,
            int step,
            int channels,
            float[] from,
            int fromAt,
            int fromRow,
            int fromColumn,
            float[] y,
            int to,
            int rowStride,
            int rows,
            int columns,
            float[] temporary) {
        for (int c = 0; c < channels; c += V) {
            for (int j = 0; j < EDGE; j++) {
                outputLine(m, at + c + j * step, EDGE * step, temporary, j * V, EDGE * V);
            }
            for (int i = 0; i < rows; i++) {
                int start = fromAt + c + i * fromRow;
                int end = to + c + i * rowStride;
                lastOutputLine(temporary, i * EDGE * V, from, start, fromColumn, y, end, channels, columns);
            }
        }
    }

    private static void outputLine(float[] m, int at, int stride, float[] y, int to, int step) {
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

    private static void lastOutputLine(
            float[] m, int at, float[] from, int start, int fromStep, float[] y, int to, int step, int columns) {
        FloatVector m0 = FloatVector.fromArray(LANES, m, at);
        FloatVector m1 = FloatVector.fromArray(LANES, m, at + V);
        FloatVector m2 = FloatVector.fromArray(LANES, m, at + 2 * V);
        FloatVector m3 = FloatVector.fromArray(LANES, m, at + 3 * V);
        FloatVector m4 = FloatVector.fromArray(LANES, m, at + 4 * V);
        FloatVector m5 = FloatVector.fromArray(LANES, m, at + 5 * V);
        FloatVector evenP = m1.add(m2);
        FloatVector oddP = m1.sub(m2);
        FloatVector evenQ = m3.add(m4);
        FloatVector oddQ = m3.sub(m4);
        m0.add(evenP)
                .add(evenQ)
                .add(FloatVector.fromArray(LANES, from, start))
                .intoArray(y, to);
        if (columns > 1) {
            oddQ.fma(FloatVector.broadcast(LANES, Q), oddP.mul(P))
                    .add(FloatVector.fromArray(LANES, from, start + fromStep))
                    .intoArray(y, to + step);
        }
        if (columns > 2) {
            evenQ.fma(FloatVector.broadcast(LANES, Q2), evenP.mul(P2))
                    .add(FloatVector.fromArray(LANES, from, start + 2 * fromStep))
                    .intoArray(y, to + 2 * step);
        }
        if (columns > 3) {
            oddQ.fma(FloatVector.broadcast(LANES, Q3), oddP.fma(FloatVector.broadcast(LANES, P3), m5))
                    .add(FloatVector.fromArray(LANES, from, start + 3 * fromStep))
                    .intoArray(y, to + 3 * step);
        }
    }

    /** z = A dy Aᵀ of one square of output gradients. */
    static void outputGradient(
            float[] dy, int at, int rowStride, int channels, float[] z, int to, int step, float[] temporary) {
        for (int c = 0; c < channels; c += V) {
            for (int j = 0; j < OUTPUTS; j++) {
                outputGradientLine(dy, at + c + j * channels, rowStride, temporary, j * V, OUTPUTS * V);
            }
            for (int i = 0; i < EDGE; i++) {
                outputGradientLine(temporary, i * OUTPUTS * V, V, z, to + c + i * EDGE * step, step);
            }
        }
    }

    private static void outputGradientLine(float[] dy, int at, int stride, float[] z, int to, int step) {
        FloatVector y0 = FloatVector.fromArray(LANES, dy, at);
        FloatVector y1 = FloatVector.fromArray(LANES, dy, at + stride);
        FloatVector y2 = FloatVector.fromArray(LANES, dy, at + 2 * stride);
        FloatVector y3 = FloatVector.fromArray(LANES, dy, at + 3 * stride);
        y0.intoArray(z, to);
        FloatVector even = y2.fma(FloatVector.broadcast(LANES, P2), y0);
        FloatVector odd = y3.fma(FloatVector.broadcast(LANES, P2), y1);
        odd.fma(FloatVector.broadcast(LANES, P), even).intoArray(z, to + step);
        odd.fma(FloatVector.broadcast(LANES, -P), even).intoArray(z, to + 2 * step);
        even = y2.fma(FloatVector.broadcast(LANES, Q2), y0);
        odd = y3.fma(FloatVector.broadcast(LANES, Q2), y1);
        odd.fma(FloatVector.broadcast(LANES, Q), even).intoArray(z, to + 3 * step);
        odd.fma(FloatVector.broadcast(LANES, -Q), even).intoArray(z, to + 4 * step);
        y3.intoArray(z, to + 5 * step);
    }

    /**
     * dg = Gᵀ m G of the filters of one input channel.
     *
     * @param tap from one of the nine taps to the next
     */
    static void filterGradient(float[] m, int at, int step, int channels, float[] dg, int to, int tap, float[] temporary) {
        for (int c = 0; c < channels; c += V) {
            for (int j = 0; j < EDGE; j++) {
                filterGradientLine(m, at + c + j * step, EDGE * step, temporary, j * V, EDGE * V);
            }
            for (int i = 0; i < 3; i++) {
                filterGradientLine(temporary, i * EDGE * V, V, dg, to + c + i * 3 * tap, tap);
            }
        }
    }

    private static void filterGradientLine(float[] m, int at, int stride, float[] dg, int to, int step) {
        FloatVector m0 = FloatVector.fromArray(LANES, m, at);
        FloatVector m1 = FloatVector.fromArray(LANES, m, at + stride);
        FloatVector m2 = FloatVector.fromArray(LANES, m, at + 2 * stride);
        FloatVector m3 = FloatVector.fromArray(LANES, m, at + 3 * stride);
        FloatVector m4 = FloatVector.fromArray(LANES, m, at + 4 * stride);
        FloatVector m5 = FloatVector.fromArray(LANES, m, at + 5 * stride);
        FloatVector evenP = m1.add(m2).mul(NP);
        FloatVector oddP = m1.sub(m2).mul(P * NP);
        FloatVector evenQ = m3.add(m4).mul(NQ);
        FloatVector oddQ = m3.sub(m4);
        m0.fma(FloatVector.broadcast(LANES, N0), evenP.add(evenQ)).intoArray(dg, to);
        oddQ.fma(FloatVector.broadcast(LANES, Q * NQ), oddP).intoArray(dg, to + step);
        evenP.fma(FloatVector.broadcast(LANES, P2), evenQ.fma(FloatVector.broadcast(LANES, Q2), m5))
                .intoArray(dg, to + 2 * step);
    }
}
