package org.sapwood.tensor.scalar;

import java.util.Objects;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Tensor;

/** Per-sample losses with their gradients. */
final class ScalarLoss {
    private ScalarLoss() {}

    static void meanSquaredError(
            Tensor prediction, Tensor target, float gradientScale, Tensor loss, Tensor dPrediction) {
        int n = prediction.shape().rowSize();
        for (int sample = 0; sample < prediction.dim(0); sample++) {
            double squares = 0;
            for (int i = sample * n; i < (sample + 1) * n; i++) {
                double error =
                        (double) prediction.array()[prediction.offset() + i] - target.array()[target.offset() + i];
                squares += error * error;
                dPrediction.array()[dPrediction.offset() + i] = (float) (2.0 * gradientScale * error / n);
            }
            loss.array()[loss.offset() + sample] = (float) (squares / n);
        }
    }

    /** loss = log Σ exp(logit) − logit[label]; its gradient is softmax(logits) − onehot(label). */
    static void crossEntropy(Tensor logits, Indices labels, float gradientScale, Tensor loss, Tensor dLogits) {
        int classes = logits.dim(-1);
        for (int sample = 0; sample < labels.length(); sample++) {
            int label = Objects.checkIndex(labels.values()[sample], classes);
            int first = logits.offset() + sample * classes;
            double max = Double.NEGATIVE_INFINITY;
            for (int c = 0; c < classes; c++) {
                max = Math.max(max, logits.array()[first + c]);
            }
            double normalizer = 0;
            for (int c = 0; c < classes; c++) {
                normalizer += Math.exp(logits.array()[first + c] - max);
            }
            loss.array()[loss.offset() + sample] =
                    (float) (Math.log(normalizer) - (logits.array()[first + label] - max));
            for (int c = 0; c < classes; c++) {
                double probability = Math.exp(logits.array()[first + c] - max) / normalizer;
                dLogits.array()[dLogits.offset() + sample * classes + c] =
                        (float) (gradientScale * (probability - (c == label ? 1 : 0)));
            }
        }
    }
}
