package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;
import static org.sapwood.tensor.simd.Lanes.PANEL;
import static org.sapwood.tensor.simd.Lanes.V;

import jdk.incubator.vector.FloatVector;
import org.sapwood.tensor.Tensor;

/**
 * Multi-head attention, one (sample, head) after the other, in blocks of queries: the scores of a block are [block, Tk]
 * and never leave the cache, and the backward pass rebuilds them from the logarithmic normaliser.
 *
 * <p>Rows of scores are padded to whole vectors; the padding holds probability 0.
 */
final class SimdAttention {
    /** Queries per block: all of a 7×7 or 8×8 image. */
    private static final int BLOCK = 64;

    private final RowGemm rowGemm;
    private final ColumnGemm columnGemm;
    private final float[] lanes = new float[V];
    private float[] keys = new float[0];
    private float[] values = new float[0];
    private float[] rows = new float[0];
    private float[] probabilities = new float[0];
    private float[] gradients = new float[0];

    SimdAttention(RowGemm rowGemm, ColumnGemm columnGemm) {
        this.rowGemm = rowGemm;
        this.columnGemm = columnGemm;
    }

    void attention(Tensor q, Tensor k, Tensor v, int heads, Tensor logSumExp, Tensor y) {
        int channels = q.dim(-1);
        int queries = q.shape().rowSize() / channels;
        int keyCount = k.shape().rowSize() / channels;
        int width = channels / heads;
        float scale = (float) (1 / Math.sqrt(width));
        int padded = Lanes.roundToVector(keyCount);
        probabilities = Lanes.grow(probabilities, BLOCK * padded);
        for (int sample = 0; sample < q.dim(0); sample++) {
            for (int head = 0; head < heads; head++) {
                int qHead = sample * queries * channels + head * width;
                int kHead = sample * keyCount * channels + head * width;
                keys = packKeys(keys, k, kHead, channels, width, keyCount, scale);
                for (int first = 0; first < queries; first += BLOCK) {
                    int count = Math.min(BLOCK, queries - first);
                    int at = qHead + first * channels;
                    scores(q, at, channels, width, count, keys, keyCount, padded, probabilities);
                    int kept = logSumExp.offset() + (sample * heads + head) * queries + first;
                    for (int i = 0; i < count; i++) {
                        logSumExp.array()[kept + i] = softmax(probabilities, i * padded, padded);
                    }
                    weightedRows(probabilities, padded, count, v, kHead, keyCount, width, y, at, channels, false);
                }
            }
        }
    }

    void attentionBackward(
            Tensor q,
            Tensor k,
            Tensor v,
            int heads,
            Tensor logSumExp,
            Tensor y,
            Tensor dy,
            Tensor dq,
            boolean accumulateQ,
            Tensor dk,
            boolean accumulateK,
            Tensor dv,
            boolean accumulateV) {
        int channels = q.dim(-1);
        int queries = q.shape().rowSize() / channels;
        int keyCount = k.shape().rowSize() / channels;
        int width = channels / heads;
        float scale = (float) (1 / Math.sqrt(width));
        int padded = Lanes.roundToVector(keyCount);
        probabilities = Lanes.grow(probabilities, BLOCK * padded);
        gradients = Lanes.grow(gradients, BLOCK * padded);
        for (int sample = 0; sample < q.dim(0); sample++) {
            for (int head = 0; head < heads; head++) {
                int qHead = sample * queries * channels + head * width;
                int kHead = sample * keyCount * channels + head * width;
                keys = packKeys(keys, k, kHead, channels, width, keyCount, scale);
                values = packKeys(values, v, kHead, channels, width, keyCount, 1f);
                for (int first = 0; first < queries; first += BLOCK) {
                    int count = Math.min(BLOCK, queries - first);
                    int at = qHead + first * channels;
                    scores(q, at, channels, width, count, keys, keyCount, padded, probabilities);
                    scores(dy, at, channels, width, count, values, padded, padded, gradients);
                    int kept = logSumExp.offset() + (sample * heads + head) * queries + first;
                    for (int i = 0; i < count; i++) {
                        int row = at + i * channels;
                        float projection = dot(dy.array(), dy.offset() + row, y.array(), y.offset() + row, width);
                        float normalizer = logSumExp.array()[kept + i];
                        scoreGradients(i * padded, padded, normalizer, projection, scale);
                    }
                    weightedRows(gradients, padded, count, k, kHead, keyCount, width, dq, at, channels, accumulateQ);
                    boolean continues = first > 0;
                    columnGemm.left(gradients, 0, padded, 0).right(q.array(), q.offset() + at, channels, 0);
                    columnGemm.over(1, count);
                    columnGemm.multiply(
                            keyCount, width, dk.array(), dk.offset() + kHead, channels, accumulateK || continues);
                    columnGemm.left(probabilities, 0, padded, 0).right(dy.array(), dy.offset() + at, channels, 0);
                    columnGemm.multiply(
                            keyCount, width, dv.array(), dv.offset() + kHead, channels, accumulateV || continues);
                }
            }
        }
    }

    /** The transpose of one head of k (or v), times {@code scale}, in panels. */
    private static float[] packKeys(
            float[] buffer, Tensor k, int head, int channels, int width, int keyCount, float scale) {
        float[] packed = Lanes.grow(buffer, Panels.size(width, keyCount));
        Panels.packTransposed(k.array(), k.offset() + head, channels, width, keyCount, scale, packed, 0, width * PANEL);
        return packed;
    }

    /** out [count, padded] = rows of q times the packed keys, −∞ from column {@code valid} on. */
    private void scores(
            Tensor q, int at, int channels, int width, int count, float[] packed, int valid, int padded, float[] out) {
        rowGemm.setUniformRows(count, q.offset() + at, channels, 0, padded);
        float[] start = rowGemm.maskedStart(valid, padded);
        rowGemm.begin(q.array(), 0, width, packed, 0, PANEL, width * PANEL, padded, start, out);
    }

    /** Rows of one head of {@code out} = weights [count, keys] · one head of v, or added to. */
    private void weightedRows(
            float[] weights,
            int padded,
            int count,
            Tensor v,
            int vHead,
            int keyCount,
            int width,
            Tensor out,
            int at,
            int channels,
            boolean accumulate) {
        float[] right = v.array();
        int bStart = v.offset() + vHead;
        int ldb = channels;
        int panelStep = PANEL;
        if (width % V != 0) {
            rows = Lanes.grow(rows, Panels.size(keyCount, width));
            Panels.pack(right, bStart, channels, keyCount, width, 1f, rows, 0);
            right = rows;
            bStart = 0;
            ldb = PANEL;
            panelStep = keyCount * PANEL;
        }
        rowGemm.setUniformRows(count, 0, padded, out.offset() + at, channels);
        if (accumulate) {
            rowGemm.add(weights, 0, keyCount, right, bStart, ldb, panelStep, width, out.array());
        } else {
            float[] start = rowGemm.zeroStart(width);
            rowGemm.begin(weights, 0, keyCount, right, bStart, ldb, panelStep, width, start, out.array());
        }
    }

    /** Turns a row of scores into probabilities; returns the logarithm of Σ eˢ. */
    private float softmax(float[] scores, int start, int padded) {
        FloatVector largest = FloatVector.fromArray(LANES, scores, start);
        for (int j = V; j < padded; j += V) {
            largest = largest.max(FloatVector.fromArray(LANES, scores, start + j));
        }
        largest.intoArray(lanes, 0);
        float max = Lanes.max(lanes);
        FloatVector sums = FloatVector.zero(LANES);
        for (int j = 0; j < padded; j += V) {
            FloatVector e = VectorMath.exp(
                    FloatVector.fromArray(LANES, scores, start + j).sub(max));
            sums = sums.add(e);
            e.intoArray(scores, start + j);
        }
        sums.intoArray(lanes, 0);
        float sum = Lanes.sum(lanes);
        float inverse = 1f / sum;
        for (int j = 0; j < padded; j += V) {
            FloatVector.fromArray(LANES, scores, start + j).mul(inverse).intoArray(scores, start + j);
        }
        return max + (float) Math.log(sum);
    }

    /** For one query: p = exp(s − normalizer), ds = p·(dp − projection)·scale, both in place. */
    private void scoreGradients(int start, int padded, float normalizer, float projection, float scale) {
        float[] p = probabilities;
        float[] ds = gradients;
        for (int j = 0; j < padded; j += V) {
            FloatVector probability =
                    VectorMath.exp(FloatVector.fromArray(LANES, p, start + j).sub(normalizer));
            FloatVector gradient = FloatVector.fromArray(LANES, ds, start + j).sub(projection);
            probability.intoArray(p, start + j);
            probability.mul(gradient).mul(scale).intoArray(ds, start + j);
        }
    }

    private float dot(float[] a, int aStart, float[] b, int bStart, int n) {
        FloatVector sum = FloatVector.zero(LANES);
        int j = 0;
        for (; j <= n - V; j += V) {
            sum = FloatVector.fromArray(LANES, a, aStart + j).fma(FloatVector.fromArray(LANES, b, bStart + j), sum);
        }
        sum.intoArray(lanes, 0);
        float total = Lanes.sum(lanes);
        for (; j < n; j++) {
            total = Math.fma(a[aStart + j], b[bStart + j], total);
        }
        return total;
    }
}
