package org.sapwood.tensor.tck;

import java.util.ArrayList;
import java.util.List;

/** Draws and divergences of diagonal Gaussians. */
final class GaussianCases {
    /** Batch, tokens, channels of a latent. */
    private static final int[][] SIZES = {{1, 1, 1}, {2, 49, 4}, {3, 5, 7}, {2, 207, 3}, {3, 1, 33}};

    private GaussianCases() {}

    static List<OpCase> cases() {
        List<OpCase> cases = new ArrayList<>();
        for (int[] size : SIZES) {
            // The wider moments reach past both bounds of the log variance.
            for (double spread : new double[] {1, 20}) {
                cases.add(sample(size, spread));
                cases.add(sampleBackward(size, spread, false));
                cases.add(sampleBackward(size, spread, true));
                cases.add(divergence(size, spread));
            }
        }
        return cases;
    }

    private static OpCase sample(int[] size, double spread) {
        int width = size[2];
        return new OpCase("gaussianSample", label(size, spread), size[0])
                .perSampleSpread("moments", spread, size[0], size[1], 2 * width)
                .perSample("noise", size)
                .output("z", false, size)
                .tolerance(3, 0)
                .call((backend, x) -> backend.gaussianSample(x.tensor("moments"), x.tensor("noise"), x.tensor("z")))
                .finiteDefinition(x -> {
                    double[] moments = x.in("moments");
                    for (int i = 0; i < x.out("z").length; i++) {
                        int mean = meanAt(i, width);
                        x.out("z")[i] = moments[mean] + Math.exp(held(moments[mean + width]) / 2) * x.in("noise")[i];
                    }
                });
    }

    private static OpCase sampleBackward(int[] size, double spread, boolean accumulate) {
        int width = size[2];
        return new OpCase("gaussianSampleBackward", label(size, spread) + (accumulate ? " +=" : ""), size[0])
                .perSampleSpread("moments", spread, size[0], size[1], 2 * width)
                .perSample("noise", size)
                .perSample("dz", size)
                .output("dMoments", accumulate, size[0], size[1], 2 * width)
                .tolerance(4, 0)
                .call((backend, x) -> backend.gaussianSampleBackward(
                        x.tensor("moments"), x.tensor("noise"), x.tensor("dz"), x.tensor("dMoments"), accumulate))
                .finiteDefinition(x -> {
                    double[] moments = x.in("moments");
                    for (int i = 0; i < x.in("dz").length; i++) {
                        int at = meanAt(i, width) + width;
                        x.out("dMoments")[at - width] = x.in("dz")[i];
                        x.out("dMoments")[at] = x.in("dz")[i]
                                * x.in("noise")[i]
                                * Definition.derivative(moments, at, changed -> Math.exp(held(changed[at]) / 2));
                    }
                });
    }

    private static OpCase divergence(int[] size, double spread) {
        float gradientScale = -0.5f;
        int width = size[2];
        int values = size[1] * width;
        return new OpCase("gaussianDivergence", label(size, spread), size[0])
                .perSampleSpread("moments", spread, size[0], size[1], 2 * width)
                .output("divergence", false, size[0])
                .output("dMoments", false, size[0], size[1], 2 * width)
                .tolerance(values + 2, 1)
                .call((backend, x) -> backend.gaussianDivergence(
                        x.tensor("moments"), gradientScale, x.tensor("divergence"), x.tensor("dMoments")))
                .finiteDefinition(x -> {
                    double[] moments = x.in("moments");
                    for (int i = 0; i < size[0] * values; i++) {
                        int mean = meanAt(i, width);
                        int spreadAt = mean + width;
                        x.out("divergence")[i / values] += term(moments[mean], moments[spreadAt]);
                        double v = moments[spreadAt];
                        x.out("dMoments")[mean] = gradientScale * moments[mean];
                        // Not by differences: where v is 0, their error is all there is.
                        x.out("dMoments")[spreadAt] = v == held(v) ? gradientScale * Math.expm1(v) / 2 : 0;
                    }
                });
    }

    private static double term(double mean, double logVariance) {
        double v = held(logVariance);
        return (mean * mean + Math.expm1(v) - v) / 2;
    }

    private static double held(double logVariance) {
        return Math.clamp(logVariance, -30.0, 20.0);
    }

    private static int meanAt(int i, int width) {
        return i / width * 2 * width + i % width;
    }

    private static String label(int[] size, double spread) {
        return size[0] + " x " + size[1] + " x " + size[2] + " spread " + spread;
    }
}
