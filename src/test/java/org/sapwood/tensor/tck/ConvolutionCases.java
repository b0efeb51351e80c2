package org.sapwood.tensor.tck;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntSupplier;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.Tensor;

/** Convolution with its two gradients, and enlargement. */
final class ConvolutionCases {
    private static final long SEED = 20260101;

    private static final int RANDOM_GEOMETRIES = 24;

    /** Multiply-adds per image beyond which a random geometry is drawn anew, to keep the suite quick. */
    private static final long WORK = 400_000;

    private ConvolutionCases() {}

    static List<OpCase> cases() {
        List<OpCase> cases = new ArrayList<>();
        int index = 0;
        for (ConvGeometry geometry : geometries()) {
            int batch = new int[] {1, 3, 2, 5}[index % 4];
            boolean flag = index++ % 2 == 0;
            cases.add(conv2d(geometry, batch, flag));
            cases.add(conv2dBackwardInput(geometry, batch, flag));
            cases.add(convWeightGradient(geometry, batch));
            cases.add(convWeightGradientNorms(geometry, batch));
            cases.add(conv2dBackward(geometry, batch, !flag));
        }
        int[][] enlargements = {{1, 1, 1, 1}, {2, 3, 5, 3}, {3, 7, 7, 33}, {1, 14, 13, 16}, {5, 4, 1, 65}};
        for (int[] size : enlargements) {
            cases.add(upsample2x(size[0], size[1], size[2], size[3]));
            cases.add(upsample2xBackward(size[0], size[1], size[2], size[3], false));
            cases.add(upsample2xBackward(size[0], size[1], size[2], size[3], true));
        }
        return cases;
    }

    private static List<ConvGeometry> geometries() {
        List<ConvGeometry> geometries = new ArrayList<>(List.of(
                ConvGeometry.same(1, 1, 1, 1, 1),
                ConvGeometry.same(1, 1, 3, 5, 3),
                ConvGeometry.same(3, 5, 8, 16, 3),
                ConvGeometry.same(7, 7, 32, 64, 3),
                ConvGeometry.same(8, 8, 32, 32, 3),
                ConvGeometry.same(7, 7, 16, 32, 3),
                ConvGeometry.same(7, 7, 32, 32, 3),
                ConvGeometry.same(12, 12, 16, 32, 3),
                ConvGeometry.same(13, 18, 16, 32, 3),
                ConvGeometry.same(12, 12, 32, 64, 3),
                new ConvGeometry(14, 11, 32, 32, 3, 1, 0, 2),
                new ConvGeometry(10, 15, 48, 32, 3, 1, 2, 1),
                new ConvGeometry(18, 14, 32, 32, 3, 1, 0, 0),
                new ConvGeometry(9, 8, 64, 32, 3, 1, 2, 0),
                new ConvGeometry(10, 9, 48, 64, 3, 1, 0, 0),
                new ConvGeometry(7, 8, 32, 64, 3, 1, 0, 2),
                new ConvGeometry(6, 6, 32, 32, 3, 1, 2, 2),
                new ConvGeometry(2, 24, 32, 32, 3, 1, 2, 0),
                new ConvGeometry(1, 24, 32, 32, 3, 1, 1, 2),
                ConvGeometry.same(28, 28, 1, 32, 3),
                ConvGeometry.same(28, 28, 32, 1, 3),
                ConvGeometry.same(14, 14, 40, 33, 3),
                ConvGeometry.same(17, 13, 64, 3, 1),
                ConvGeometry.same(5, 5, 129, 65, 3),
                new ConvGeometry(28, 28, 8, 16, 3, 2, 1, 1),
                new ConvGeometry(14, 14, 32, 32, 3, 2, 0, 1),
                new ConvGeometry(7, 9, 3, 5, 5, 2, 2, 1),
                new ConvGeometry(9, 9, 16, 8, 3, 1, 0, 0),
                new ConvGeometry(2, 2, 4, 4, 5, 1, 3, 3),
                new ConvGeometry(6, 5, 3, 7, 1, 3, 0, 0)));
        Random random = new Random(SEED);
        int fixed = geometries.size();
        while (geometries.size() < fixed + RANDOM_GEOMETRIES) {
            IntSupplier extent = () -> 1 + random.nextInt(17);
            int kernel = 1 + 2 * random.nextInt(3);
            int height = extent.getAsInt();
            int width = extent.getAsInt();
            int padLow = random.nextInt(kernel);
            int padHigh = random.nextInt(kernel);
            int in = pick(random, 1, 3, 8, 32, 40);
            int out = pick(random, 1, 3, 16, 33, 64);
            if (Math.min(height, width) + padLow + padHigh < kernel) {
                continue;
            }
            ConvGeometry geometry =
                    new ConvGeometry(height, width, in, out, kernel, 1 + random.nextInt(2), padLow, padHigh);
            if ((long) geometry.outTokens() * geometry.weightSize() <= WORK) {
                geometries.add(geometry);
            }
        }
        return geometries;
    }

    private static int pick(Random random, int... values) {
        return values[random.nextInt(values.length)];
    }

    /** Terms that rounding may count as: twice as many where a backend may take fewer multiplications (Winograd 1980). */
    private static int allowed(ConvGeometry geometry, int terms) {
        return geometry.kernel() == 3 && geometry.stride() == 1 ? 2 * terms : terms;
    }

    private static OpCase conv2d(ConvGeometry geometry, int batch, boolean withBias) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        int terms = geometry.kernel() * geometry.kernel() * in;
        return new OpCase("conv2d", batch + " x " + geometry + (withBias ? " with bias" : ""), batch)
                .perSample("x", batch, geometry.inTokens(), in)
                .shared("weight", geometry.kernel(), geometry.kernel(), in, out)
                .shared("bias", out)
                .output("y", false, batch, geometry.outTokens(), out)
                .tolerance(allowed(geometry, terms), Math.sqrt(terms))
                .call((backend, x) -> backend.conv2d(
                        x.tensor("x"), x.tensor("weight"), withBias ? x.tensor("bias") : null, geometry, x.tensor("y")))
                .definition(x -> {
                    double[] y = x.out("y");
                    for (int i = 0; withBias && i < y.length; i++) {
                        y[i] = x.in("bias")[i % out];
                    }
                    double[] input = x.in("x");
                    double[] weight = x.in("weight");
                    forEachProduct(geometry, batch, (yAt, xAt, wAt) -> y[yAt] += input[xAt] * weight[wAt]);
                });
    }

    private static OpCase conv2dBackwardInput(ConvGeometry geometry, int batch, boolean accumulate) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        int terms = geometry.kernel() * geometry.kernel() * out;
        return new OpCase("conv2dBackwardInput", batch + " x " + geometry + (accumulate ? " +=" : ""), batch)
                .perSample("dy", batch, geometry.outTokens(), out)
                .shared("weight", geometry.kernel(), geometry.kernel(), in, out)
                .output("dx", accumulate, batch, geometry.inTokens(), in)
                .tolerance(allowed(geometry, terms), Math.sqrt(terms))
                .call((backend, x) -> backend.conv2dBackwardInput(
                        x.tensor("dy"), x.tensor("weight"), geometry, x.tensor("dx"), accumulate))
                .definition(x -> {
                    double[] dy = x.in("dy");
                    double[] weight = x.in("weight");
                    double[] dx = x.out("dx");
                    forEachProduct(geometry, batch, (yAt, xAt, wAt) -> dx[xAt] += dy[yAt] * weight[wAt]);
                });
    }

    private static OpCase convWeightGradient(ConvGeometry geometry, int batch) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        int size = geometry.weightSize();
        return new OpCase("convWeightGradient", batch + " x " + geometry, batch)
                .perSample("x", batch, geometry.inTokens(), in)
                .perSample("dy", batch, geometry.outTokens(), out)
                .gradient("gradient", size)
                .tolerance(allowed(geometry, geometry.outTokens()), Math.sqrt(geometry.outTokens()))
                .nonFiniteMaySpread()
                .call((backend, x) ->
                        backend.convWeightGradient(x.tensor("x"), x.tensor("dy"), geometry, x.gradient("gradient")))
                .definition(x -> {
                    double[] input = x.in("x");
                    double[] dy = x.in("dy");
                    double[] gradient = x.out("gradient");
                    forEachProduct(
                            geometry,
                            batch,
                            (yAt, xAt, wAt) ->
                                    gradient[yAt / (geometry.outTokens() * out) * size + wAt] += input[xAt] * dy[yAt]);
                });
    }

    /** Both at once. */
    private static OpCase conv2dBackward(ConvGeometry geometry, int batch, boolean accumulate) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        int size = geometry.weightSize();
        int terms = Math.max(geometry.outTokens(), geometry.kernel() * geometry.kernel() * out);
        return new OpCase("conv2dBackward", batch + " x " + geometry + (accumulate ? " +=" : ""), batch)
                .perSample("x", batch, geometry.inTokens(), in)
                .perSample("dy", batch, geometry.outTokens(), out)
                .shared("weight", geometry.kernel(), geometry.kernel(), in, out)
                .output("dx", accumulate, batch, geometry.inTokens(), in)
                .gradient("gradient", size)
                .tolerance(allowed(geometry, terms), Math.sqrt(terms))
                .nonFiniteMaySpread()
                .call((backend, x) -> backend.conv2dBackward(
                        x.tensor("x"),
                        x.tensor("dy"),
                        x.tensor("weight"),
                        geometry,
                        x.tensor("dx"),
                        accumulate,
                        x.gradient("gradient")))
                .definition(x -> {
                    double[] input = x.in("x");
                    double[] dy = x.in("dy");
                    double[] weight = x.in("weight");
                    double[] dx = x.out("dx");
                    double[] gradient = x.out("gradient");
                    forEachProduct(geometry, batch, (yAt, xAt, wAt) -> {
                        dx[xAt] += dy[yAt] * weight[wAt];
                        gradient[yAt / (geometry.outTokens() * out) * size + wAt] += input[xAt] * dy[yAt];
                    });
                });
    }

    private static OpCase convWeightGradientNorms(ConvGeometry geometry, int batch) {
        int size = geometry.weightSize();
        return new OpCase("convWeightGradientNorms", batch + " x " + geometry, batch)
                .perSample("x", batch, geometry.inTokens(), geometry.inChannels())
                .perSample("dy", batch, geometry.outTokens(), geometry.outChannels())
                .output("norms", false, batch, 1)
                .tolerance(allowed(geometry, geometry.outTokens()), Math.sqrt(geometry.outTokens()))
                .nonFiniteMaySpread()
                .call((backend, x) -> {
                    Tensor norms = x.tensor("norms");
                    backend.convWeightGradientNorms(
                            x.tensor("x"),
                            x.tensor("dy"),
                            geometry,
                            1,
                            norms,
                            0,
                            PrivateGradientCases.scratch(backend, norms.dim(0), size));
                })
                .definition(x -> {
                    double[] gradient = new double[batch * size];
                    forEachProduct(
                            geometry,
                            batch,
                            (yAt, xAt, wAt) ->
                                    gradient[yAt / (geometry.outTokens() * geometry.outChannels()) * size + wAt] +=
                                            x.in("x")[xAt] * x.in("dy")[yAt]);
                    PrivateGradientCases.addSquares(gradient, x.out("norms"));
                });
    }

    /** A product of the definition of convolution: y[yAt] has the term x[xAt]·weight[wAt]. */
    private interface Product {
        void accept(int yAt, int xAt, int wAt);
    }

    private static void forEachProduct(ConvGeometry g, int batch, Product product) {
        for (int b = 0; b < batch; b++) {
            for (int row = 0; row < g.outHeight(); row++) {
                for (int column = 0; column < g.outWidth(); column++) {
                    for (int ky = 0; ky < g.kernel(); ky++) {
                        for (int kx = 0; kx < g.kernel(); kx++) {
                            int y = row * g.stride() + ky - g.padLow();
                            int x = column * g.stride() + kx - g.padLow();
                            if (y < 0 || x < 0 || y >= g.height() || x >= g.width()) {
                                continue;
                            }
                            int output = (b * g.outTokens() + row * g.outWidth() + column) * g.outChannels();
                            int input = (b * g.inTokens() + y * g.width() + x) * g.inChannels();
                            int weight = (ky * g.kernel() + kx) * g.inChannels() * g.outChannels();
                            for (int i = 0; i < g.inChannels(); i++) {
                                for (int o = 0; o < g.outChannels(); o++) {
                                    product.accept(output + o, input + i, weight + i * g.outChannels() + o);
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private static OpCase upsample2x(int batch, int height, int width, int channels) {
        return new OpCase("upsample2x", batch + " x " + height + "x" + width + "x" + channels, batch)
                .perSample("x", batch, height * width, channels)
                .output("y", false, batch, 4 * height * width, channels)
                .call((backend, x) -> backend.upsample2x(x.tensor("x"), height, width, x.tensor("y")))
                .definition(x -> {
                    double[] y = x.out("y");
                    for (int i = 0; i < y.length; i++) {
                        y[i] = x.in("x")[smallIndex(i, height, width, channels)];
                    }
                });
    }

    private static OpCase upsample2xBackward(int batch, int height, int width, int channels, boolean accumulate) {
        String description = batch + " x " + height + "x" + width + "x" + channels + (accumulate ? " +=" : "");
        return new OpCase("upsample2xBackward", description, batch)
                .perSample("dy", batch, 4 * height * width, channels)
                .output("dx", accumulate, batch, height * width, channels)
                .tolerance(4, 2)
                .call((backend, x) ->
                        backend.upsample2xBackward(x.tensor("dy"), height, width, x.tensor("dx"), accumulate))
                .definition(x -> {
                    double[] dy = x.in("dy");
                    for (int i = 0; i < dy.length; i++) {
                        x.out("dx")[smallIndex(i, height, width, channels)] += dy[i];
                    }
                });
    }

    /** Where element {@code i} of the enlarged batch comes from. */
    private static int smallIndex(int i, int height, int width, int channels) {
        int pixel = i / channels;
        int row = pixel / (2 * width);
        int column = pixel % (2 * width);
        int sample = row / (2 * height);
        return ((sample * height + row % (2 * height) / 2) * width + column / 2) * channels + i % channels;
    }
}
