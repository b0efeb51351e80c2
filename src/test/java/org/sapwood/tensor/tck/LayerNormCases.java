package org.sapwood.tensor.tck;

import java.util.ArrayList;
import java.util.List;

/** Layer normalisation, its input gradient and that of its scale. */
final class LayerNormCases {
    private static final float EPSILON = 1e-5f;

    /** Batch, tokens, channels. */
    private static final int[][] SIZES = {
        {1, 1, 1},
        {2, 3, 2},
        {3, 7, 5},
        {2, 1, 8},
        {5, 13, 33},
        {3, 49, 32},
        {2, 9, 64},
        {2, 17, 130},
        {3, 3, 127},
        {1, 5, 259},
        {2, 196, 48},
    };

    /** Elements of a sample up to which gradients are checked by numerical differentiation. */
    private static final int DIFFERENTIABLE = 500;

    private LayerNormCases() {}

    static List<OpCase> cases() {
        List<OpCase> cases = new ArrayList<>();
        for (int[] size : SIZES) {
            Geometry geometry = new Geometry(size[0], size[1], size[2]);
            cases.add(layerNorm(geometry, 0));
            cases.add(backwardInput(geometry, false));
            cases.add(backwardInput(geometry, true));
            cases.add(scaleGradient(geometry));
        }
        cases.add(layerNorm(new Geometry(2, 9, 32), 300));
        return cases;
    }

    private record Geometry(int batch, int tokens, int channels) {
        int size() {
            return batch * tokens * channels;
        }

        /** A token of one or two channels has a variance near zero: the result is what is left of large terms. */
        boolean degenerate() {
            return channels <= 2;
        }
    }

    /** {@code offset} moves the inputs away from zero, which a one-pass variance does not survive. */
    private static OpCase layerNorm(Geometry g, float offset) {
        return new OpCase("layerNorm", g + (offset == 0 ? "" : " around " + offset), g.batch)
                .perSample("centred", g.batch, g.tokens, g.channels)
                .derived("x", values -> shifted(values.get("centred"), offset), g.batch, g.tokens, g.channels)
                .shared("gamma", g.channels)
                .shared("beta", g.channels)
                .output("statistics", false, g.batch, g.tokens, 2)
                .output("y", false, g.batch, g.tokens, g.channels)
                .tolerance(g.channels + 3, (g.degenerate() ? 1000 : 4) + offset)
                .call((backend, x) -> backend.layerNorm(
                        x.tensor("x"),
                        x.tensor("gamma"),
                        x.tensor("beta"),
                        EPSILON,
                        x.tensor("statistics"),
                        x.tensor("y")))
                .definition(x -> {
                    double[] statistics = statistics(g, x.in("x"));
                    System.arraycopy(statistics, 0, x.out("statistics"), 0, statistics.length);
                    double[] normalized = normalized(g, x.in("x"), statistics);
                    for (int i = 0; i < normalized.length; i++) {
                        int c = i % g.channels;
                        x.out("y")[i] = x.in("gamma")[c] * normalized[i] + x.in("beta")[c];
                    }
                });
    }

    private static OpCase backwardInput(Geometry g, boolean accumulate) {
        OpCase backward = operands(new OpCase("layerNormBackwardInput", g + (accumulate ? " +=" : ""), g.batch), g)
                .shared("gamma", g.channels)
                .output("dx", accumulate, g.batch, g.tokens, g.channels)
                .tolerance(g.channels + 3, g.degenerate() ? 1000 : 4)
                .amplification(10 / Math.sqrt(EPSILON))
                .call((backend, x) -> backend.layerNormBackwardInput(
                        x.tensor("x"),
                        x.tensor("gamma"),
                        x.tensor("statistics"),
                        x.tensor("dy"),
                        x.tensor("dx"),
                        accumulate));
        if (g.tokens * g.channels > DIFFERENTIABLE) {
            return backward;
        }
        return backward.finiteDefinition(x -> {
            for (int i = 0; i < g.size(); i++) {
                int token = i / g.channels;
                x.out("dx")[i] = Definition.derivative(x.in("x"), i, changed -> {
                    return weighted(g, changed, x.in("gamma"), x.in("dy"), token);
                });
            }
        });
    }

    /** Σ_c dy·γ·x̂ of one token. */
    private static double weighted(Geometry g, double[] x, double[] gamma, double[] dy, int token) {
        double mean = 0;
        for (int c = 0; c < g.channels; c++) {
            mean += x[token * g.channels + c] / g.channels;
        }
        double variance = 0;
        for (int c = 0; c < g.channels; c++) {
            variance += Math.pow(x[token * g.channels + c] - mean, 2) / g.channels;
        }
        double sum = 0;
        for (int c = 0; c < g.channels; c++) {
            int i = token * g.channels + c;
            sum += dy[i] * gamma[c] * (x[i] - mean) / Math.sqrt(variance + EPSILON);
        }
        return sum;
    }

    private static OpCase scaleGradient(Geometry g) {
        return operands(new OpCase("layerNormScaleGradient", g.toString(), g.batch), g)
                .gradient("dgamma", g.channels)
                .tolerance(g.tokens + 3, g.degenerate() ? 100 : 2 * Math.sqrt(g.tokens))
                .call((backend, x) -> backend.layerNormScaleGradient(
                        x.tensor("x"), x.tensor("statistics"), x.tensor("dy"), x.gradient("dgamma")))
                .definition(x -> {
                    double[] normalized = normalized(g, x.in("x"), x.in("statistics"));
                    for (int i = 0; i < normalized.length; i++) {
                        int sample = i / (g.tokens * g.channels);
                        x.out("dgamma")[sample * g.channels + i % g.channels] += x.in("dy")[i] * normalized[i];
                    }
                });
    }

    private static OpCase operands(OpCase opCase, Geometry g) {
        return opCase.perSample("x", g.batch, g.tokens, g.channels)
                .derived("statistics", values -> narrow(statistics(g, wide(values.get("x")))), g.batch, g.tokens, 2)
                .perSample("dy", g.batch, g.tokens, g.channels);
    }

    /** Mean and 1/√(var + ε) of every token. */
    private static double[] statistics(Geometry g, double[] x) {
        double[] statistics = new double[2 * g.batch * g.tokens];
        for (int i = 0; i < x.length; i++) {
            statistics[i / g.channels * 2] += x[i] / g.channels;
        }
        for (int i = 0; i < x.length; i++) {
            statistics[i / g.channels * 2 + 1] += Math.pow(x[i] - statistics[i / g.channels * 2], 2) / g.channels;
        }
        for (int i = 1; i < statistics.length; i += 2) {
            statistics[i] = 1 / Math.sqrt(statistics[i] + EPSILON);
        }
        return statistics;
    }

    private static double[] normalized(Geometry g, double[] x, double[] statistics) {
        double[] normalized = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            normalized[i] = (x[i] - statistics[i / g.channels * 2]) * statistics[i / g.channels * 2 + 1];
        }
        return normalized;
    }

    private static float[] shifted(float[] values, float offset) {
        float[] result = values.clone();
        for (int i = 0; i < result.length; i++) {
            result[i] += offset;
        }
        return result;
    }

    private static double[] wide(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    private static float[] narrow(double[] values) {
        float[] narrow = new float[values.length];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) values[i];
        }
        return narrow;
    }
}
