package org.sapwood.tensor.tck;

import java.util.ArrayList;
import java.util.List;

/** Per-sample losses. */
final class LossCases {
    private static final int[] LENGTHS = {1, 3, 10, 17, 65, 784, 1025};

    private LossCases() {}

    static List<OpCase> cases() {
        List<OpCase> cases = new ArrayList<>();
        for (int n : LENGTHS) {
            cases.add(meanSquaredError(3, n));
            cases.add(crossEntropy(5, n, 1));
            cases.add(crossEntropy(2, n, 1e4));
        }
        return cases;
    }

    private static OpCase meanSquaredError(int batch, int n) {
        float gradientScale = 0.25f;
        return new OpCase("meanSquaredError", batch + " x " + n, batch)
                .perSample("prediction", batch, n, 1)
                .perSample("target", batch, n, 1)
                .output("loss", false, batch)
                .output("dPrediction", false, batch, n, 1)
                .tolerance(n + 2, 0)
                .call((backend, x) -> backend.meanSquaredError(
                        x.tensor("prediction"),
                        x.tensor("target"),
                        gradientScale,
                        x.tensor("loss"),
                        x.tensor("dPrediction")))
                .definition(x -> {
                    for (int i = 0; i < batch * n; i++) {
                        double error = x.in("prediction")[i] - x.in("target")[i];
                        x.out("loss")[i / n] += error * error / n;
                        x.out("dPrediction")[i] = gradientScale * 2 * error / n;
                    }
                });
    }

    private static OpCase crossEntropy(int batch, int classes, double spread) {
        float gradientScale = -0.5f;
        return new OpCase("crossEntropy", batch + " x " + classes + " spread " + spread, batch)
                .perSampleSpread("logits", spread, batch, classes)
                .indices("labels", classes)
                .output("loss", false, batch)
                .output("dLogits", false, batch, classes)
                .tolerance(classes + 4, 1)
                .call((backend, x) -> backend.crossEntropy(
                        x.tensor("logits"), x.indices("labels"), gradientScale, x.tensor("loss"), x.tensor("dLogits")))
                .finiteDefinition(x -> {
                    double[] logits = x.in("logits");
                    for (int i = 0; i < batch * classes; i++) {
                        int sample = i / classes;
                        double inverse = 0;
                        for (int c = 0; c < classes; c++) {
                            inverse += Math.exp(logits[sample * classes + c] - logits[i]);
                        }
                        boolean correct = i % classes == x.index("labels", sample);
                        x.out("dLogits")[i] = gradientScale * (1 / inverse - (correct ? 1 : 0));
                        if (correct) {
                            x.out("loss")[sample] = logOfSum(logits, sample * classes, classes) - logits[i];
                        }
                    }
                });
    }

    /** log Σ exp, folded pairwise: log(eᵃ + eᵇ) = max(a, b) + log1p(exp(−|a − b|)). */
    private static double logOfSum(double[] values, int from, int count) {
        double sum = values[from];
        for (int i = from + 1; i < from + count; i++) {
            sum = Math.max(sum, values[i]) + Math.log1p(Math.exp(-Math.abs(sum - values[i])));
        }
        return sum;
    }
}
