package org.sapwood.tensor.tck;

import java.util.ArrayList;
import java.util.List;

/** Matrix products, dense and low-rank. */
final class BlasCases {
    /** Rows, inner extent, columns: single elements, odd tails, whole register tiles, more than one cache block. */
    private static final int[][] SIZES = {
        {1, 1, 1},
        {3, 5, 7},
        {1, 207, 13},
        {5, 1, 207},
        {13, 17, 31},
        {12, 64, 32},
        {33, 49, 65},
        {49, 128, 1},
        {207, 127, 49},
        {127, 65, 33},
        {7, 1025, 3},
        {65, 333, 130},
        {24, 512, 64},
        {17, 300, 257},
        {70, 300, 261},
    };

    private static final int[] RANKS = {1, 2, 3, 4, 5, 16};

    private BlasCases() {}

    static List<OpCase> cases() {
        List<OpCase> cases = new ArrayList<>();
        for (int[] size : SIZES) {
            for (boolean transposeA : new boolean[] {false, true}) {
                for (boolean transposeB : new boolean[] {false, true}) {
                    cases.add(matmul(size, transposeA, transposeB, 1, false));
                    cases.add(matmul(size, transposeA, transposeB, -0.7f, true));
                }
            }
            cases.add(linear(size, true));
            cases.add(linear(size, false));
            cases.add(linearBackwardInput(size, false));
            cases.add(linearBackwardInput(size, true));
        }
        for (int rank : RANKS) {
            int[] size = SIZES[rank % SIZES.length + 2];
            cases.add(lora(size, rank));
            cases.add(lora(new int[] {35, 31, 65}, rank));
            cases.add(loraBackwardInput(size, rank, true));
            cases.add(loraBackwardInput(new int[] {35, 31, 65}, rank, rank % 2 == 0));
        }
        cases.add(linearOfImages());
        return cases;
    }

    /** C = α·op(A)·op(B). The rows of C count as samples where those of A are contiguous. */
    private static OpCase matmul(int[] size, boolean transposeA, boolean transposeB, float alpha, boolean accumulate) {
        int m = size[0];
        int k = size[1];
        int n = size[2];
        String description = "[%d, %d]%s x [%d, %d]%s alpha %s%s"
                .formatted(m, k, transposeA ? "T" : "", k, n, transposeB ? "T" : "", alpha, accumulate ? " +=" : "");
        OpCase matmul = new OpCase("matmul", description, transposeA ? 0 : m);
        if (transposeA) {
            matmul.shared("a", k, m);
        } else {
            matmul.perSample("a", m, k);
        }
        matmul.shared("b", transposeB ? n : k, transposeB ? k : n);
        if (transposeA) {
            matmul.sharedOutput("c", accumulate, m, n);
        } else {
            matmul.output("c", accumulate, m, n);
        }
        return matmul.tolerance(k, Math.sqrt(k))
                .call((backend, x) -> backend.matmul(
                        x.tensor("a"), transposeA, x.tensor("b"), transposeB, alpha, x.tensor("c"), accumulate))
                .definition(x -> {
                    double[] a = x.in("a");
                    double[] b = x.in("b");
                    double[] c = x.out("c");
                    for (int i = 0; i < m; i++) {
                        for (int j = 0; j < n; j++) {
                            for (int l = 0; l < k; l++) {
                                c[i * n + j] += alpha
                                        * a[transposeA ? l * m + i : i * k + l]
                                        * b[transposeB ? j * k + l : l * n + j];
                            }
                        }
                    }
                });
    }

    private static OpCase linear(int[] size, boolean withBias) {
        int rows = size[0];
        int in = size[1];
        int out = size[2];
        String description = "[%d, %d -> %d]%s".formatted(rows, in, out, withBias ? " with bias" : "");
        return linear(new OpCase("linear", description, rows).perSample("x", rows, in), in, out, withBias)
                .output("y", false, rows, out);
    }

    /** Rank 3: the rows are the pixels of images. */
    private static OpCase linearOfImages() {
        OpCase images = new OpCase("linear", "[3, 25, 13 -> 17] of images", 3).perSample("x", 3, 25, 13);
        return linear(images, 13, 17, true).output("y", false, 3, 25, 17);
    }

    private static OpCase linear(OpCase withInput, int in, int out, boolean withBias) {
        return withInput
                .shared("weight", out, in)
                .shared("bias", out)
                .tolerance(in, Math.sqrt(in))
                .call((backend, x) -> backend.linear(
                        x.tensor("x"), x.tensor("weight"), withBias ? x.tensor("bias") : null, x.tensor("y")))
                .definition(x -> {
                    double[] input = x.in("x");
                    double[] weight = x.in("weight");
                    double[] bias = x.in("bias");
                    double[] y = x.out("y");
                    for (int i = 0; i < y.length; i++) {
                        int row = i / out;
                        int o = i % out;
                        y[i] = withBias ? bias[o] : 0;
                        for (int c = 0; c < in; c++) {
                            y[i] += input[row * in + c] * weight[o * in + c];
                        }
                    }
                });
    }

    private static OpCase linearBackwardInput(int[] size, boolean accumulate) {
        int rows = size[0];
        int out = size[1];
        int in = size[2];
        String description = "[%d, %d <- %d]%s".formatted(rows, in, out, accumulate ? " +=" : "");
        return new OpCase("linearBackwardInput", description, rows)
                .perSample("dy", rows, out)
                .shared("weight", out, in)
                .output("dx", accumulate, rows, in)
                .tolerance(out, Math.sqrt(out))
                .call((backend, x) ->
                        backend.linearBackwardInput(x.tensor("dy"), x.tensor("weight"), x.tensor("dx"), accumulate))
                .definition(x -> spread(x.in("dy"), x.in("weight"), rows, out, in, 1, x.out("dx")));
    }

    private static OpCase lora(int[] size, int rank) {
        int rows = size[0];
        int in = size[1];
        int out = size[2];
        float scale = 1.5f;
        return new OpCase("lora", "[%d, %d -> %d] rank %d".formatted(rows, in, out, rank), rows)
                .perSample("x", rows, in)
                .shared("a", rank, in)
                .shared("b", out, rank)
                .output("xa", false, rows, rank)
                .output("y", true, rows, out)
                .tolerance(in + rank, 2 * Math.sqrt((double) in * rank))
                .call((backend, x) ->
                        backend.lora(x.tensor("x"), x.tensor("a"), x.tensor("b"), scale, x.tensor("xa"), x.tensor("y")))
                .definition(x -> {
                    double[] input = x.in("x");
                    double[] a = x.in("a");
                    double[] b = x.in("b");
                    for (int row = 0; row < rows; row++) {
                        for (int r = 0; r < rank; r++) {
                            double down = 0;
                            for (int c = 0; c < in; c++) {
                                down += input[row * in + c] * a[r * in + c];
                            }
                            x.out("xa")[row * rank + r] = down;
                            for (int o = 0; o < out; o++) {
                                x.out("y")[row * out + o] += scale * down * b[o * rank + r];
                            }
                        }
                    }
                });
    }

    private static OpCase loraBackwardInput(int[] size, int rank, boolean withInput) {
        int rows = size[0];
        int in = size[1];
        int out = size[2];
        float scale = 0.5f;
        String description = "[%d, %d <- %d] rank %d%s".formatted(rows, in, out, rank, withInput ? "" : " without dx");
        OpCase lora = new OpCase("loraBackwardInput", description, rows)
                .perSample("dy", rows, out)
                .shared("a", rank, in)
                .shared("b", out, rank)
                .output("dyb", false, rows, rank);
        if (withInput) {
            lora.output("dx", true, rows, in);
        }
        return lora.tolerance(out + rank, Math.sqrt((double) out * rank))
                .call((backend, x) -> backend.loraBackwardInput(
                        x.tensor("dy"),
                        x.tensor("a"),
                        x.tensor("b"),
                        scale,
                        x.tensor("dyb"),
                        withInput ? x.tensor("dx") : null))
                .definition(x -> {
                    spread(x.in("dy"), x.in("b"), rows, out, rank, scale, x.out("dyb"));
                    if (withInput) {
                        spread(x.out("dyb"), x.in("a"), rows, rank, in, 1, x.out("dx"));
                    }
                });
    }

    /** Adds α·g[row, i]·m[i, :] to result[row, :] for every row and i. */
    private static void spread(
            double[] g, double[] m, int rows, int inner, int columns, double alpha, double[] result) {
        for (int i = 0; i < rows * inner; i++) {
            for (int c = 0; c < columns; c++) {
                result[i / inner * columns + c] += alpha * g[i] * m[i % inner * columns + c];
            }
        }
    }
}
