package org.sapwood.tensor.scalar;

import java.util.Arrays;
import org.sapwood.tensor.Tensor;

/** Multi-head attention, one (sample, head, query) at a time. */
final class ScalarAttention {
    private ScalarAttention() {}

    static void attention(Tensor q, Tensor k, Tensor v, int heads, Tensor logSumExp, Tensor y) {
        Head head = new Head(q, k, heads);
        double[] scores = new double[head.keys];
        double[] sums = new double[head.width];
        for (int sample = 0; sample < q.dim(0); sample++) {
            for (int h = 0; h < heads; h++) {
                for (int i = 0; i < head.queries; i++) {
                    double max = Double.NEGATIVE_INFINITY;
                    for (int j = 0; j < head.keys; j++) {
                        scores[j] =
                                head.scale * dot(q, head.query(sample, h, i), k, head.key(sample, h, j), head.width);
                        max = Math.max(max, scores[j]);
                    }
                    double normalizer = 0;
                    Arrays.fill(sums, 0);
                    for (int j = 0; j < head.keys; j++) {
                        double weight = Math.exp(scores[j] - max);
                        normalizer += weight;
                        addScaled(sums, 0, weight, v, head.key(sample, h, j), head.width);
                    }
                    Sums.store(sums, 1 / normalizer, y.array(), y.offset() + head.query(sample, h, i), false);
                    logSumExp.array()[logSumExp.offset() + head.statistic(sample, h, i)] =
                            (float) (max + Math.log(normalizer));
                }
            }
        }
    }

    /**
     * With p = exp(s − logSumExp): dv_j = Σ_i p_ij·dy_i, ds_ij = p_ij·(dy_i·v_j − dy_i·y_i), dq_i = Σ_j ds_ij·k_j/√d,
     * dk_j = Σ_i ds_ij·q_i/√d.
     */
    static void attentionBackward(
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
        Head head = new Head(q, k, heads);
        int width = head.width;
        for (int sample = 0; sample < q.dim(0); sample++) {
            for (int h = 0; h < heads; h++) {
                double[] querySums = new double[head.queries * width];
                double[] keySums = new double[head.keys * width];
                double[] valueSums = new double[head.keys * width];
                for (int i = 0; i < head.queries; i++) {
                    int query = head.query(sample, h, i);
                    double normalizer = logSumExp.array()[logSumExp.offset() + head.statistic(sample, h, i)];
                    double expected = dot(dy, query, y, query, width);
                    for (int j = 0; j < head.keys; j++) {
                        int key = head.key(sample, h, j);
                        double probability = Math.exp(head.scale * dot(q, query, k, key, width) - normalizer);
                        double slope = probability * (dot(dy, query, v, key, width) - expected);
                        addScaled(valueSums, j * width, probability, dy, query, width);
                        addScaled(querySums, i * width, slope * head.scale, k, key, width);
                        addScaled(keySums, j * width, slope * head.scale, q, query, width);
                    }
                }
                for (int i = 0; i < head.queries; i++) {
                    store(querySums, i, dq, head.query(sample, h, i), width, accumulateQ);
                }
                for (int j = 0; j < head.keys; j++) {
                    store(keySums, j, dk, head.key(sample, h, j), width, accumulateK);
                    store(valueSums, j, dv, head.key(sample, h, j), width, accumulateV);
                }
            }
        }
    }

    private static double dot(Tensor a, int aStart, Tensor b, int bStart, int length) {
        double sum = 0;
        for (int c = 0; c < length; c++) {
            sum += (double) a.array()[a.offset() + aStart + c] * b.array()[b.offset() + bStart + c];
        }
        return sum;
    }

    private static void addScaled(double[] sums, int at, double factor, Tensor x, int start, int length) {
        for (int c = 0; c < length; c++) {
            sums[at + c] += factor * x.array()[x.offset() + start + c];
        }
    }

    private static void store(double[] sums, int row, Tensor target, int start, int width, boolean accumulate) {
        double[] finished = Arrays.copyOfRange(sums, row * width, (row + 1) * width);
        Sums.store(finished, 1, target.array(), target.offset() + start, accumulate);
    }

    /** Where the rows of one head stand, relative to the first element of their tensor. */
    private static final class Head {
        final int queries;
        final int keys;
        final int channels;
        final int heads;
        final int width;
        final double scale;

        Head(Tensor q, Tensor k, int heads) {
            this.channels = q.dim(-1);
            this.queries = q.shape().rowSize() / channels;
            this.keys = k.shape().rowSize() / channels;
            this.heads = heads;
            this.width = channels / heads;
            this.scale = 1 / Math.sqrt(width);
        }

        /** Of row {@code i} of q, y and their gradients. */
        int query(int sample, int head, int i) {
            return (sample * queries + i) * channels + head * width;
        }

        /** Of row {@code j} of k, v and their gradients. */
        int key(int sample, int head, int j) {
            return (sample * keys + j) * channels + head * width;
        }

        /** Of the normaliser of row {@code i} of q. */
        int statistic(int sample, int head, int i) {
            return (sample * heads + head) * queries + i;
        }
    }
}
