package org.sapwood.tensor.tck;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.sapwood.tensor.Backend;

/** Group normalisation, its input gradient and its parameter gradients. */
final class NormalizationCases {
    private static final float EPSILON = 1e-5f;

    /** Batch, tokens, channels, groups. */
    private static final int[][] SIZES = {
        {1, 1, 1, 1},
        {2, 1, 6, 3},
        {3, 7, 3, 3},
        {2, 5, 8, 2},
        {5, 13, 33, 3},
        {3, 49, 32, 8},
        {2, 65, 64, 32},
        {1, 207, 40, 5},
        {2, 17, 130, 13},
        {3, 3, 49, 7},
        {2, 196, 48, 4},
        {1, 31, 127, 1},
    };

    /** Elements of a sample up to which gradients are checked by numerical differentiation. */
    private static final int DIFFERENTIABLE = 300;

    private NormalizationCases() {}

    static List<OpCase> cases() {
        List<OpCase> cases = new ArrayList<>();
        for (int[] size : SIZES) {
            for (boolean silu : new boolean[] {false, true}) {
                Geometry geometry = new Geometry(size[0], size[1], size[2], size[3], silu);
                cases.add(groupNorm(geometry, 0));
                cases.add(backwardInput(geometry, false));
                cases.add(backwardInput(geometry, true));
                cases.add(parameterGradient(geometry, true, true));
                cases.add(backward(geometry, !silu, true));
            }
        }
        Geometry small = new Geometry(3, 5, 6, 2, true);
        cases.add(parameterGradient(small, true, false));
        cases.add(parameterGradient(small, false, true));
        cases.add(backward(small, false, false));
        cases.add(groupNorm(small, 300));
        cases.add(groupNorm(new Geometry(2, 49, 32, 4, false), 300));
        return cases;
    }

    private record Geometry(int batch, int tokens, int channels, int groups, boolean silu) {
        int size() {
            return tokens * channels;
        }

        int groupOf(int i) {
            return i % channels / (channels / groups);
        }

        /** Values that share mean and variance. */
        int count() {
            return size() / groups;
        }
    }

    /** {@code offset} moves the inputs away from zero, which a one-pass variance does not survive. */
    private static OpCase groupNorm(Geometry g, float offset) {
        return new OpCase("groupNorm", g + (offset == 0 ? "" : " around " + offset), g.batch)
                .perSample("centred", g.batch, g.tokens, g.channels)
                .derived("x", values -> shifted(values.get("centred"), offset), g.batch, g.tokens, g.channels)
                .shared("gamma", g.channels)
                .shared("beta", g.channels)
                .output("statistics", false, g.batch, g.groups, 2)
                .output("y", false, g.batch, g.tokens, g.channels)
                .tolerance(g.count() + 3, 4 + offset)
                .call((backend, x) -> backend.groupNorm(
                        x.tensor("x"),
                        x.tensor("gamma"),
                        x.tensor("beta"),
                        g.groups,
                        EPSILON,
                        g.silu,
                        x.tensor("statistics"),
                        x.tensor("y")))
                .definition(x -> {
                    for (int b = 0; b < g.batch; b++) {
                        double[] sample = sample(x.in("x"), b, g.size());
                        double[] y = forward(g, sample, x.in("gamma"), x.in("beta"));
                        System.arraycopy(y, 0, x.out("y"), b * g.size(), g.size());
                        double[] statistics = statistics(g, sample);
                        System.arraycopy(statistics, 0, x.out("statistics"), b * 2 * g.groups, 2 * g.groups);
                    }
                });
    }

    private static OpCase backwardInput(Geometry g, boolean accumulate) {
        OpCase backward = operands(new OpCase("groupNormBackwardInput", g + (accumulate ? " +=" : ""), g.batch), g)
                .output("dx", accumulate, g.batch, g.tokens, g.channels)
                .tolerance(g.count() + 3, degenerate(g) ? 1000 : 4)
                .amplification(10 / Math.sqrt(EPSILON))
                .call((backend, x) -> backend.groupNormBackwardInput(
                        x.tensor("x"),
                        x.tensor("gamma"),
                        x.tensor("beta"),
                        g.groups,
                        g.silu,
                        x.tensor("statistics"),
                        x.tensor("dy"),
                        x.tensor("dx"),
                        accumulate));
        if (g.size() > DIFFERENTIABLE) {
            return backward;
        }
        return backward.finiteDefinition(x -> inputDefinition(x, g));
    }

    private static void inputDefinition(Definition x, Geometry g) {
        for (int b = 0; b < g.batch; b++) {
            double[] sample = sample(x.in("x"), b, g.size());
            double[] dy = sample(x.in("dy"), b, g.size());
            for (int i = 0; i < g.size(); i++) {
                x.out("dx")[b * g.size() + i] = Definition.derivative(
                        sample, i, changed -> dot(dy, forward(g, changed, x.in("gamma"), x.in("beta"))));
            }
        }
    }

    private static OpCase parameterGradient(Geometry g, boolean wantGamma, boolean wantBeta) {
        String description = g + (wantGamma ? " gamma" : "") + (wantBeta ? " beta" : "");
        OpCase gradient = operands(new OpCase("groupNormParameterGradient", description, g.batch), g)
                .tolerance(g.tokens + 3, degenerate(g) ? 100 : 2 * Math.sqrt(g.tokens))
                .call((backend, x) -> parameterGradient(backend, x, g, wantGamma, wantBeta));
        if (wantGamma) {
            gradient.gradient("dgamma", g.channels);
        }
        if (wantBeta) {
            gradient.gradient("dbeta", g.channels);
        }
        if (g.size() > DIFFERENTIABLE) {
            return gradient;
        }
        return gradient.finiteDefinition(x -> parameterDefinition(x, g, wantGamma, wantBeta));
    }

    private static void parameterDefinition(Definition x, Geometry g, boolean wantGamma, boolean wantBeta) {
        double[] gamma = x.in("gamma");
        double[] beta = x.in("beta");
        for (int b = 0; b < g.batch; b++) {
            double[] sample = sample(x.in("x"), b, g.size());
            double[] dy = sample(x.in("dy"), b, g.size());
            for (int c = 0; c < g.channels; c++) {
                if (wantGamma) {
                    x.out("dgamma")[b * g.channels + c] =
                            Definition.derivative(gamma, c, changed -> dot(dy, forward(g, sample, changed, beta)));
                }
                if (wantBeta) {
                    x.out("dbeta")[b * g.channels + c] =
                            Definition.derivative(beta, c, changed -> dot(dy, forward(g, sample, gamma, changed)));
                }
            }
        }
    }

    private static void parameterGradient(
            Backend backend, Arguments x, Geometry g, boolean wantGamma, boolean wantBeta) {
        backend.groupNormParameterGradient(
                x.tensor("x"),
                x.tensor("gamma"),
                x.tensor("beta"),
                g.groups,
                g.silu,
                x.tensor("statistics"),
                x.tensor("dy"),
                wantGamma ? x.gradient("dgamma") : null,
                wantBeta ? x.gradient("dbeta") : null);
    }

    /** Both at once. */
    private static OpCase backward(Geometry g, boolean accumulate, boolean wantBeta) {
        String description = g + (accumulate ? " +=" : "") + (wantBeta ? "" : " without beta");
        OpCase backward = operands(new OpCase("groupNormBackward", description, g.batch), g)
                .output("dx", accumulate, g.batch, g.tokens, g.channels)
                .gradient("dgamma", g.channels)
                .tolerance(g.count() + 3, degenerate(g) ? 1000 : 2 * Math.sqrt(g.tokens) + 4)
                .amplification(10 / Math.sqrt(EPSILON))
                .call((backend, x) -> backend.groupNormBackward(
                        x.tensor("x"),
                        x.tensor("gamma"),
                        x.tensor("beta"),
                        g.groups,
                        g.silu,
                        x.tensor("statistics"),
                        x.tensor("dy"),
                        x.tensor("dx"),
                        accumulate,
                        x.gradient("dgamma"),
                        wantBeta ? x.gradient("dbeta") : null));
        if (wantBeta) {
            backward.gradient("dbeta", g.channels);
        }
        return g.size() > DIFFERENTIABLE
                ? backward
                : backward.finiteDefinition(x -> {
                    inputDefinition(x, g);
                    parameterDefinition(x, g, true, wantBeta);
                });
    }

    private static OpCase operands(OpCase opCase, Geometry g) {
        return opCase.perSample("x", g.batch, g.tokens, g.channels)
                .shared("gamma", g.channels)
                .shared("beta", g.channels)
                .derived("statistics", values -> statistics(g, values.get("x")), g.batch, g.groups, 2)
                .perSample("dy", g.batch, g.tokens, g.channels);
    }

    /** A group of one or two values has a variance near zero: the result is what is left of large terms. */
    private static boolean degenerate(Geometry g) {
        return g.count() <= 2;
    }

    private static float[] shifted(float[] values, float offset) {
        float[] result = values.clone();
        for (int i = 0; i < result.length; i++) {
            result[i] += offset;
        }
        return result;
    }

    private static float[] statistics(Geometry g, float[] batch) {
        float[] all = new float[g.batch * g.groups * 2];
        for (int b = 0; b < g.batch; b++) {
            double[] sample = new double[g.size()];
            for (int i = 0; i < sample.length; i++) {
                sample[i] = batch[b * g.size() + i];
            }
            double[] statistics = statistics(g, sample);
            for (int i = 0; i < statistics.length; i++) {
                all[b * statistics.length + i] = (float) statistics[i];
            }
        }
        return all;
    }

    /** Mean and 1/√(var + ε) of every group of one sample. */
    private static double[] statistics(Geometry g, double[] sample) {
        double[] statistics = new double[2 * g.groups];
        for (int i = 0; i < sample.length; i++) {
            statistics[2 * g.groupOf(i)] += sample[i] / g.count();
        }
        for (int i = 0; i < sample.length; i++) {
            statistics[2 * g.groupOf(i) + 1] += Math.pow(sample[i] - statistics[2 * g.groupOf(i)], 2) / g.count();
        }
        for (int group = 0; group < g.groups; group++) {
            statistics[2 * group + 1] = 1 / Math.sqrt(statistics[2 * group + 1] + EPSILON);
        }
        return statistics;
    }

    private static double[] forward(Geometry g, double[] sample, double[] gamma, double[] beta) {
        double[] statistics = statistics(g, sample);
        double[] y = new double[sample.length];
        for (int i = 0; i < y.length; i++) {
            double normalized = (sample[i] - statistics[2 * g.groupOf(i)]) * statistics[2 * g.groupOf(i) + 1];
            double z = normalized * gamma[i % g.channels] + beta[i % g.channels];
            y[i] = g.silu ? ElementwiseCases.silu(z) : z;
        }
        return y;
    }

    private static double[] sample(double[] batch, int b, int size) {
        return Arrays.copyOfRange(batch, b * size, (b + 1) * size);
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
