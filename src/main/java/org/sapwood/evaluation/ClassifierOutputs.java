package org.sapwood.evaluation;

import org.sapwood.data.ImageSet;

/**
 * What a classifier says about a set of images.
 *
 * @param logits [n, V]
 * @param features [n, F]
 * @param classes V
 * @param featureLength F
 */
@SuppressWarnings("ArrayRecordComponent") // handed on at once, never compared
record ClassifierOutputs(float[] logits, float[] features, int classes, int featureLength) {
    /** Share of the images whose largest logit is that of their label; {@code images} are those classified. */
    double accuracy(ImageSet images) {
        int right = 0;
        for (int i = 0; i < images.size(); i++) {
            if (predicted(i) == images.label(i)) {
                right++;
            }
        }
        return (double) right / images.size();
    }

    private int predicted(int image) {
        int best = 0;
        for (int v = 1; v < classes; v++) {
            if (logits[image * classes + v] > logits[image * classes + best]) {
                best = v;
            }
        }
        return best;
    }

    /** Mean cross entropy of the labels, in nats. */
    double meanLoss(ImageSet images) {
        double sum = 0;
        for (int i = 0; i < images.size(); i++) {
            double max = logits[i * classes + predicted(i)];
            double normalizer = 0;
            for (int v = 0; v < classes; v++) {
                normalizer += Math.exp(logits[i * classes + v] - max);
            }
            sum += Math.log(normalizer) + max - logits[i * classes + images.label(i)];
        }
        return sum / images.size();
    }
}
