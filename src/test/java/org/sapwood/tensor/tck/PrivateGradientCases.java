package org.sapwood.tensor.tck;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/** Per-sample gradients of linear layers and biases; those of other layers stand with their family. */
final class PrivateGradientCases {
    /** Batch, tokens, inputs, outputs. */
    private static final int[][] SIZES = {
        {1, 1, 1, 1},
        {2, 3, 5, 7},
        {5, 1, 33, 17},
        {3, 49, 13, 31},
        {2, 196, 64, 48},
        {1, 65, 207, 3},
        {3, 17, 4, 128},
        {2, 31, 128, 5},
        {3, 127, 1, 65},
        {2, 333, 66, 34},
    };

    private PrivateGradientCases() {}

    static List<OpCase> cases() {
        List<OpCase> cases = new ArrayList<>();
        for (int[] size : SIZES) {
            cases.add(weightGradient(size, 1));
            cases.add(weightGradient(size, -1.5f));
            cases.add(weightGradientNorms(size, -1.5f));
            cases.add(biasGradient(size[0], size[1], size[3]));
        }
        return cases;
    }

    private static OpCase weightGradient(int[] size, float alpha) {
        int batch = size[0];
        int tokens = size[1];
        int in = size[2];
        int out = size[3];
        String description = "%d x %d x (%d -> %d) alpha %s".formatted(batch, tokens, in, out, alpha);
        return new OpCase("weightGradient", description, batch)
                .perSample("x", batch, tokens, in)
                .perSample("dy", batch, tokens, out)
                .gradient("gradient", out * in)
                .tolerance(tokens, Math.sqrt(tokens))
                .call((backend, x) ->
                        backend.weightGradient(x.tensor("x"), x.tensor("dy"), alpha, x.gradient("gradient")))
                .definition(x -> gradient(x, size, alpha, x.out("gradient")));
    }

    private static OpCase weightGradientNorms(int[] size, float alpha) {
        int batch = size[0];
        int tokens = size[1];
        int in = size[2];
        int out = size[3];
        String description = "%d x %d x (%d -> %d)".formatted(batch, tokens, in, out);
        return new OpCase("weightGradientNorms", description, batch)
                .perSample("x", batch, tokens, in)
                .perSample("dy", batch, tokens, out)
                .output("norms", false, batch, 1)
                .tolerance(tokens, Math.sqrt(tokens))
                .call((backend, x) -> {
                    Tensor norms = x.tensor("norms");
                    backend.weightGradientNorms(
                            x.tensor("x"),
                            x.tensor("dy"),
                            alpha,
                            1,
                            norms,
                            0,
                            scratch(backend, norms.dim(0), in * out));
                })
                .definition(x -> {
                    double[] gradient = new double[batch * out * in];
                    gradient(x, size, alpha, gradient);
                    addSquares(gradient, x.out("norms"));
                });
    }

    /** Where a backend that stores gradients may do so. */
    static @Nullable Tensor scratch(Backend backend, int rows, int coordinates) {
        return backend.isDevice() ? null : backend.allocate(Shape.of(rows, coordinates));
    }

    /** Adds the squares of each sample's coordinates. */
    static void addSquares(double[] gradient, double[] norms) {
        int coordinates = gradient.length / norms.length;
        for (int i = 0; i < gradient.length; i++) {
            norms[i / coordinates] += gradient[i] * gradient[i];
        }
    }

    private static void gradient(Definition x, int[] size, float alpha, double[] gradient) {
        int tokens = size[1];
        int in = size[2];
        int out = size[3];
        double[] input = x.in("x");
        double[] dy = x.in("dy");
        for (int row = 0; row < size[0] * tokens; row++) {
            for (int o = 0; o < out; o++) {
                for (int i = 0; i < in; i++) {
                    gradient[(row / tokens * out + o) * in + i] += alpha * dy[row * out + o] * input[row * in + i];
                }
            }
        }
    }

    private static OpCase biasGradient(int batch, int tokens, int channels) {
        return new OpCase("biasGradient", batch + " x " + tokens + " x " + channels, batch)
                .perSample("dy", batch, tokens, channels)
                .gradient("gradient", channels)
                .tolerance(tokens, Math.sqrt(tokens))
                .call((backend, x) -> backend.biasGradient(x.tensor("dy"), x.gradient("gradient")))
                .definition(x -> {
                    double[] dy = x.in("dy");
                    for (int i = 0; i < dy.length; i++) {
                        x.out("gradient")[i / (tokens * channels) * channels + i % channels] += dy[i];
                    }
                });
    }
}
