package org.sapwood.tensor.tck;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** Attention and its gradients. */
final class AttentionCases {
    /** Batch, queries, keys, channels, heads. */
    private static final int[][] SIZES = {
        {1, 1, 1, 1, 1},
        {2, 3, 5, 7, 1},
        {3, 7, 3, 6, 3},
        {2, 13, 13, 24, 4},
        {1, 49, 49, 64, 8},
        {2, 17, 65, 40, 5},
        {2, 65, 17, 33, 3},
        {1, 127, 207, 32, 2},
        {5, 5, 1, 16, 1},
        {2, 33, 33, 96, 3},
        {1, 196, 196, 64, 1},
        // Image tokens on eight tokens of a class.
        {2, 784, 8, 32, 2},
        {3, 49, 8, 128, 4},
    };

    /** Elements of q, k and v of a sample up to which gradients are checked by numerical differentiation. */
    private static final int DIFFERENTIABLE = 600;

    private AttentionCases() {}

    static List<OpCase> cases() {
        List<OpCase> cases = new ArrayList<>();
        int index = 0;
        for (int[] size : SIZES) {
            Geometry geometry = new Geometry(size[0], size[1], size[2], size[3], size[4], 1);
            cases.add(attention(geometry));
            int flags = index++ * 3;
            cases.add(attentionBackward(geometry, false, false, false));
            cases.add(attentionBackward(geometry, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0));
        }
        Geometry saturated = new Geometry(2, 9, 17, 16, 2, 100);
        cases.add(attention(saturated));
        cases.add(attentionBackward(saturated, false, true, true));
        return cases;
    }

    /** {@code spread} of q and k: at 100 the scores reach ±10⁴ and more, where a naive softmax overflows. */
    private record Geometry(int batch, int queries, int keys, int channels, int heads, double spread) {
        int width() {
            return channels / heads;
        }

        /** Rounding a score of size s moves a probability by ε·s. */
        double slack() {
            return 4 * spread * spread * spread;
        }
    }

    private static OpCase attention(Geometry g) {
        return operands(new OpCase("attention", g.toString(), g.batch), g)
                .output("logSumExp", false, g.batch, g.heads, g.queries)
                .output("y", false, g.batch, g.queries, g.channels)
                .tolerance(g.keys + g.width() + 4, g.slack())
                .call((backend, x) -> backend.attention(
                        x.tensor("q"), x.tensor("k"), x.tensor("v"), g.heads, x.tensor("logSumExp"), x.tensor("y")))
                .definition(x -> forward(g, x.in("q"), x.in("k"), x.in("v"), x.out("logSumExp"), x.out("y"), null));
    }

    private static OpCase attentionBackward(Geometry g, boolean accumulateQ, boolean accumulateK, boolean accumulateV) {
        String description =
                g + (accumulateQ ? " dq+=" : "") + (accumulateK ? " dk+=" : "") + (accumulateV ? " dv+=" : "");
        OpCase backward = operands(new OpCase("attentionBackward", description, g.batch), g)
                .derived("logSumExp", values -> forward(g, values, true), g.batch, g.heads, g.queries)
                .derived("y", values -> forward(g, values, false), g.batch, g.queries, g.channels)
                .perSample("dy", g.batch, g.queries, g.channels)
                .output("dq", accumulateQ, g.batch, g.queries, g.channels)
                .output("dk", accumulateK, g.batch, g.keys, g.channels)
                .output("dv", accumulateV, g.batch, g.keys, g.channels)
                .tolerance(g.queries + g.keys + g.width() + 4, g.slack())
                .call((backend, x) -> backend.attentionBackward(
                        x.tensor("q"),
                        x.tensor("k"),
                        x.tensor("v"),
                        g.heads,
                        x.tensor("logSumExp"),
                        x.tensor("y"),
                        x.tensor("dy"),
                        x.tensor("dq"),
                        accumulateQ,
                        x.tensor("dk"),
                        accumulateK,
                        x.tensor("dv"),
                        accumulateV));
        if ((g.queries + 2 * g.keys) * g.channels > DIFFERENTIABLE) {
            return backward;
        }
        return backward.finiteDefinition(x -> {
            double[] q = x.in("q");
            double[] k = x.in("k");
            double[] v = x.in("v");
            double[] dy = x.in("dy");
            double[] y = new double[dy.length];
            double[] logSumExp = new double[g.batch * g.heads * g.queries];
            ToDoubleFunction<double[]> loss = changed -> forward(g, q, k, v, logSumExp, y, dy);
            for (int i = 0; i < q.length; i++) {
                x.out("dq")[i] = Definition.derivative(q, i, loss);
            }
            for (int i = 0; i < k.length; i++) {
                x.out("dk")[i] = Definition.derivative(k, i, loss);
                x.out("dv")[i] = Definition.derivative(v, i, loss);
            }
        });
    }

    private static OpCase operands(OpCase opCase, Geometry g) {
        return opCase.perSampleSpread("q", g.spread, g.batch, g.queries, g.channels)
                .perSampleSpread("k", g.spread, g.batch, g.keys, g.channels)
                .perSample("v", g.batch, g.keys, g.channels);
    }

    private static float[] forward(Geometry g, Data values, boolean wantLogSumExp) {
        double[] logSumExp = new double[g.batch * g.heads * g.queries];
        double[] y = new double[g.batch * g.queries * g.channels];
        forward(g, wide(values.get("q")), wide(values.get("k")), wide(values.get("v")), logSumExp, y, null);
        double[] wanted = wantLogSumExp ? logSumExp : y;
        float[] narrow = new float[wanted.length];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) wanted[i];
        }
        return narrow;
    }

    /** Fills {@code logSumExp} and {@code y}, and returns Σ y·dy. */
    private static double forward(
            Geometry g, double[] q, double[] k, double[] v, double[] logSumExp, double[] y, double @Nullable [] dy) {
        double loss = 0;
        double[] scores = new double[g.keys];
        for (int row = 0; row < g.batch * g.heads * g.queries; row++) {
            int i = row % g.queries;
            int head = row / g.queries % g.heads;
            int b = row / g.queries / g.heads;
            int query = (b * g.queries + i) * g.channels + head * g.width();
            for (int j = 0; j < g.keys; j++) {
                scores[j] = 0;
                for (int c = 0; c < g.width(); c++) {
                    scores[j] += q[query + c] * k[(b * g.keys + j) * g.channels + head * g.width() + c];
                }
                scores[j] /= Math.sqrt(g.width());
            }
            for (int c = 0; c < g.width(); c++) {
                y[query + c] = 0;
            }
            double max = Arrays.stream(scores).max().orElseThrow();
            double sum = 0;
            for (int j = 0; j < g.keys; j++) {
                double weight = Math.exp(scores[j] - max);
                sum += weight;
                for (int c = 0; c < g.width(); c++) {
                    y[query + c] += weight * v[(b * g.keys + j) * g.channels + head * g.width() + c];
                }
            }
            logSumExp[row] = max + Math.log(sum);
            for (int c = 0; c < g.width(); c++) {
                y[query + c] /= sum;
            }
            for (int c = 0; dy != null && c < g.width(); c++) {
                loss += y[query + c] * dy[query + c];
            }
        }
        return loss;
    }

    private static double[] wide(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }
}
