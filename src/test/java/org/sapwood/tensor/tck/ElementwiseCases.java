package org.sapwood.tensor.tck;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.apache.commons.numbers.gamma.Erfc;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Tensor;

/** Elementwise ops, sums over tokens, and channel concatenation. */
final class ElementwiseCases {
    private static final float SLOPE = 0.2f;

    private static final int[] LENGTHS = {1, 3, 15, 16, 17, 33, 65, 207, 1025};

    /** Batch, tokens, channels. */
    private static final int[][] SIZES = {
        {1, 1, 1}, {2, 1, 17}, {3, 5, 7}, {5, 13, 33}, {2, 49, 64}, {1, 207, 3}, {3, 7, 130},
    };

    private ElementwiseCases() {}

    static List<OpCase> cases() {
        List<OpCase> cases = new ArrayList<>();
        for (int n : LENGTHS) {
            cases.add(add(n, "y"));
            cases.add(add(n, "a"));
            cases.add(add(n, "b"));
            for (boolean accumulate : new boolean[] {false, true}) {
                cases.add(scale(n, accumulate));
                cases.add(siluBackward(n, 2, accumulate));
                cases.add(siluBackward(n, 40, accumulate));
                cases.add(reluBackward(n, accumulate));
                cases.add(leakyReluBackward(n, accumulate));
                cases.add(tanhBackward(n, accumulate));
                for (int spread : new int[] {2, 40}) {
                    cases.add(gegluBackward(n, spread, accumulate));
                }
            }
            cases.add(unary("silu", Backend::silu, n, 2, 4, ElementwiseCases::silu));
            cases.add(unary("silu", Backend::silu, n, 40, 4, ElementwiseCases::silu));
            cases.add(unary("relu", Backend::relu, n, 1, 0, value -> Double.isNaN(value) || value > 0 ? value : 0));
            cases.add(unary("leakyRelu", (backend, x, y) -> backend.leakyRelu(x, SLOPE, y), n, 1, 1, value -> {
                return value > 0 ? value : SLOPE * value;
            }));
            for (double spread : new double[] {0.1, 1, 40}) {
                cases.add(unary("tanh", Backend::tanh, n, spread, 3, Math::tanh));
            }
            cases.add(geglu(n, 2));
            cases.add(geglu(n, 40));
        }
        // Enough for a block of quads on a device, and halves that are made of whole quads.
        cases.add(geglu(516, 2));
        cases.add(gegluBackward(516, 2, false));
        cases.add(gegluBackward(516, 2, true));
        for (int[] size : SIZES) {
            cases.add(addPerSample(size, false));
            cases.add(addPerSample(size, true));
            for (boolean accumulate : new boolean[] {false, true}) {
                cases.add(sumTokens(size, accumulate));
                cases.add(broadcastTokens(size, accumulate));
                cases.add(sliceChannels(size, 0, (size[2] + 1) / 2, accumulate));
                cases.add(sliceChannels(size, size[2] / 2, size[2] - size[2] / 2, accumulate));
            }
            cases.add(concatChannels(size, 1));
            cases.add(concatChannels(size, 32));
        }
        return cases;
    }

    static double silu(double x) {
        return x / (1 + Math.exp(-x));
    }

    private static String label(String shape, boolean accumulate) {
        return shape + (accumulate ? " +=" : "");
    }

    private static OpCase add(int n, String target) {
        OpCase add = new OpCase("add", "[3, " + n + "] into " + target, 3)
                .perSample("a", 3, n)
                .perSample("b", 3, n);
        return (target.equals("y") ? add.output("y", false, 3, n) : add.aliasedOutput("y", target, 3, n))
                .call((backend, x) -> backend.add(x.tensor("a"), x.tensor("b"), x.tensor("y")))
                .definition(x -> {
                    for (int i = 0; i < 3 * n; i++) {
                        x.out("y")[i] = x.in("a")[i] + x.in("b")[i];
                    }
                });
    }

    private static OpCase scale(int n, boolean accumulate) {
        float alpha = -1.7f;
        return new OpCase("scale", label("[3, " + n + "]", accumulate), 3)
                .perSample("x", 3, n)
                .output("y", accumulate, 3, n)
                .tolerance(1, 0)
                .call((backend, x) -> backend.scale(x.tensor("x"), alpha, x.tensor("y"), accumulate))
                .definition(x -> {
                    for (int i = 0; i < 3 * n; i++) {
                        x.out("y")[i] = alpha * x.in("x")[i];
                    }
                });
    }

    private interface Unary {
        void apply(Backend backend, Tensor x, Tensor y);
    }

    private static OpCase unary(
            String op, Unary primitive, int n, double spread, int terms, DoubleUnaryOperator function) {
        return new OpCase(op, "[3, " + n + "] spread " + spread, 3)
                .perSampleSpread("x", spread, 3, n)
                .output("y", false, 3, n)
                .tolerance(terms, 0)
                .call((backend, x) -> primitive.apply(backend, x.tensor("x"), x.tensor("y")))
                .definition(x -> {
                    double[] input = x.in("x");
                    for (int i = 0; i < input.length; i++) {
                        x.out("y")[i] = function.applyAsDouble(input[i]);
                    }
                });
    }

    private static OpCase siluBackward(int n, double spread, boolean accumulate) {
        return new OpCase("siluBackward", label("[3, " + n + "] spread " + spread, accumulate), 3)
                .perSampleSpread("x", spread, 3, n)
                .perSample("dy", 3, n)
                .output("dx", accumulate, 3, n)
                .tolerance(4, 1)
                .call((backend, x) -> backend.siluBackward(x.tensor("x"), x.tensor("dy"), x.tensor("dx"), accumulate))
                .finiteDefinition(x -> {
                    double[] input = x.in("x");
                    double[] dy = x.in("dy");
                    for (int i = 0; i < dy.length; i++) {
                        int at = i;
                        x.out("dx")[i] = dy[i] * Definition.derivative(input, i, changed -> silu(changed[at]));
                    }
                });
    }

    private static OpCase reluBackward(int n, boolean accumulate) {
        return new OpCase("reluBackward", label("[3, " + n + "]", accumulate), 3)
                .perSample("x", 3, n)
                .perSample("dy", 3, n)
                .output("dx", accumulate, 3, n)
                .call((backend, x) -> backend.reluBackward(x.tensor("x"), x.tensor("dy"), x.tensor("dx"), accumulate))
                .definition(x -> {
                    double[] dy = x.in("dy");
                    for (int i = 0; i < dy.length; i++) {
                        x.out("dx")[i] = x.in("x")[i] > 0 ? dy[i] : 0;
                    }
                });
    }

    private static OpCase leakyReluBackward(int n, boolean accumulate) {
        return new OpCase("leakyReluBackward", label("[3, " + n + "]", accumulate), 3)
                .perSample("x", 3, n)
                .perSample("dy", 3, n)
                .output("dx", accumulate, 3, n)
                .tolerance(1, 0)
                .call((backend, x) ->
                        backend.leakyReluBackward(x.tensor("x"), SLOPE, x.tensor("dy"), x.tensor("dx"), accumulate))
                .definition(x -> {
                    double[] dy = x.in("dy");
                    for (int i = 0; i < dy.length; i++) {
                        x.out("dx")[i] = x.in("x")[i] > 0 ? dy[i] : SLOPE * dy[i];
                    }
                });
    }

    /** The output of tanh is an operand of its own here, so it may be beyond ±1. */
    private static OpCase tanhBackward(int n, boolean accumulate) {
        return new OpCase("tanhBackward", label("[3, " + n + "]", accumulate), 3)
                .perSampleSpread("y", 0.5, 3, n)
                .perSample("dy", 3, n)
                .output("dx", accumulate, 3, n)
                .tolerance(3, 1)
                .call((backend, x) -> backend.tanhBackward(x.tensor("y"), x.tensor("dy"), x.tensor("dx"), accumulate))
                .definition(x -> {
                    double[] dy = x.in("dy");
                    for (int i = 0; i < dy.length; i++) {
                        x.out("dx")[i] = dy[i] * (1 - x.in("y")[i] * x.in("y")[i]);
                    }
                });
    }

    /** Tokens of n channels of either half. */
    private static OpCase geglu(int n, double spread) {
        return new OpCase("geglu", "[3, 2, 2*" + n + "] spread " + spread, 3)
                .perSampleSpread("x", spread, 3, 2, 2 * n)
                .output("y", false, 3, 2, n)
                .tolerance(6, 0)
                .call((backend, x) -> backend.geglu(x.tensor("x"), x.tensor("y")))
                .definition(x -> {
                    for (int i = 0; i < 6 * n; i++) {
                        int at = i / n * 2 * n + i % n;
                        x.out("y")[i] = x.in("x")[at] * gelu(x.in("x")[at + n]);
                    }
                });
    }

    private static OpCase gegluBackward(int n, double spread, boolean accumulate) {
        return new OpCase("gegluBackward", label("[3, 2, 2*" + n + "] spread " + spread, accumulate), 3)
                .perSampleSpread("x", spread, 3, 2, 2 * n)
                .perSample("dy", 3, 2, n)
                .output("dx", accumulate, 3, 2, 2 * n)
                .tolerance(8, 1)
                .call((backend, x) -> backend.gegluBackward(x.tensor("x"), x.tensor("dy"), x.tensor("dx"), accumulate))
                .finiteDefinition(x -> {
                    double[] input = x.in("x");
                    for (int i = 0; i < 6 * n; i++) {
                        int value = i / n * 2 * n + i % n;
                        int gate = value + n;
                        double dy = x.in("dy")[i];
                        for (int at : new int[] {value, gate}) {
                            x.out("dx")[at] = dy
                                    * Definition.derivative(input, at, changed -> changed[value] * gelu(changed[gate]));
                        }
                    }
                });
    }

    private static double gelu(double x) {
        return x * Erfc.value(-x / Math.sqrt(2)) / 2;
    }

    private static OpCase addPerSample(int[] size, boolean inPlace) {
        OpCase add = new OpCase(
                        "addPerSample", List.of(size[0], size[1], size[2]) + (inPlace ? " in place" : ""), size[0])
                .perSample("x", size)
                .perSample("v", size[0], size[2]);
        return (inPlace ? add.aliasedOutput("y", "x", size) : add.output("y", false, size))
                .call((backend, x) -> backend.addPerSample(x.tensor("x"), x.tensor("v"), x.tensor("y")))
                .definition(x -> forEachElement(size, (i, bc) -> x.out("y")[i] = x.in("x")[i] + x.in("v")[bc]));
    }

    private static OpCase sumTokens(int[] size, boolean accumulate) {
        float alpha = 0.3f;
        return new OpCase("sumTokens", label(List.of(size[0], size[1], size[2]).toString(), accumulate), size[0])
                .perSample("x", size)
                .output("y", accumulate, size[0], size[2])
                .tolerance(size[1] + 1, Math.sqrt(size[1]))
                .call((backend, x) -> backend.sumTokens(x.tensor("x"), alpha, x.tensor("y"), accumulate))
                .definition(x -> forEachElement(size, (i, bc) -> x.out("y")[bc] += alpha * x.in("x")[i]));
    }

    private static OpCase broadcastTokens(int[] size, boolean accumulate) {
        float alpha = 0.3f;
        return new OpCase(
                        "broadcastTokens",
                        label(List.of(size[0], size[1], size[2]).toString(), accumulate),
                        size[0])
                .perSample("dy", size[0], size[2])
                .output("dx", accumulate, size)
                .tolerance(1, 0)
                .call((backend, x) -> backend.broadcastTokens(x.tensor("dy"), alpha, x.tensor("dx"), accumulate))
                .definition(x -> forEachElement(size, (i, bc) -> x.out("dx")[i] = alpha * x.in("dy")[bc]));
    }

    private static OpCase concatChannels(int[] size, int right) {
        int left = size[2];
        int tokens = size[1];
        int batch = size[0];
        int both = left + right;
        return new OpCase("concatChannels", batch + " x " + tokens + " x (" + left + " | " + right + ")", batch)
                .perSample("a", batch, tokens, left)
                .perSample("b", batch, tokens, right)
                .output("y", false, batch, tokens, both)
                .call((backend, x) -> backend.concatChannels(x.tensor("a"), x.tensor("b"), x.tensor("y")))
                .definition(x -> {
                    double[] y = x.out("y");
                    for (int i = 0; i < y.length; i++) {
                        int row = i / both;
                        int c = i % both;
                        y[i] = c < left ? x.in("a")[row * left + c] : x.in("b")[row * right + c - left];
                    }
                });
    }

    private static OpCase sliceChannels(int[] size, int from, int width, boolean accumulate) {
        int channels = size[2];
        String shape = List.of(size[0], size[1], channels) + " from " + from + " width " + width;
        return new OpCase("sliceChannels", label(shape, accumulate), size[0])
                .perSample("x", size)
                .output("y", accumulate, size[0], size[1], width)
                .call((backend, x) -> backend.sliceChannels(x.tensor("x"), from, x.tensor("y"), accumulate))
                .definition(x -> forEachElement(size, (i, bc) -> {
                    int c = i % channels - from;
                    if (c >= 0 && c < width) {
                        x.out("y")[i / channels * width + c] = x.in("x")[i];
                    }
                }));
    }

    /** Pairs element [b, t, c] with element [b, c]. */
    private interface Pair {
        void accept(int full, int pooled);
    }

    private static void forEachElement(int[] size, Pair pair) {
        for (int i = 0; i < size[0] * size[1] * size[2]; i++) {
            pair.accept(i, i / (size[1] * size[2]) * size[2] + i % size[2]);
        }
    }
}
