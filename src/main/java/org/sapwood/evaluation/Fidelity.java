package org.sapwood.evaluation;

import java.util.LinkedHashMap;
import java.util.Map;
import org.sapwood.data.ImageSet;

/**
 * How close a synthetic set is to the real training images in the feature space of a classifier trained on public data.
 *
 * @param featureSpace which classifier, see {@link FeatureModel#description}
 * @param frechetDistance squared Fréchet distance between synthetic and real training images, ≥ 0; not an FID
 * @param realTestFrechetDistance the same between real test and real training images: the scale to read it by
 * @param precisionRecall of the synthetic against the real training images
 */
public record Fidelity(
        String featureSpace, double frechetDistance, double realTestFrechetDistance, PrecisionRecall precisionRecall) {
    /**
     * Measures all.
     *
     * @throws org.sapwood.io.UserException if the images do not fit the model or are too few
     */
    public static Fidelity measure(
            FeatureModel model, ImageSet synthetic, ImageSet realTraining, ImageSet realTest, Workers workers) {
        Features syntheticFeatures = model.features(synthetic, workers);
        Features realFeatures = model.features(realTraining, workers);
        FeatureGaussian real = FeatureGaussian.fit(realFeatures);
        return new Fidelity(
                model.description(),
                FeatureGaussian.fit(syntheticFeatures).frechetDistance(real),
                FeatureGaussian.fit(model.features(realTest, workers)).frechetDistance(real),
                PrecisionRecall.measure(realFeatures, syntheticFeatures, workers));
    }

    /** For {@code metrics.json}. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("feature_space", featureSpace);
        json.put("frechet_distance", frechetDistance);
        json.put("real_test_frechet_distance", realTestFrechetDistance);
        json.put("precision", precisionRecall.precision());
        json.put("recall", precisionRecall.recall());
        json.put("precision_recall_neighbours", PrecisionRecall.NEIGHBOURS);
        json.put("precision_recall_images_per_side", precisionRecall.imagesPerSide());
        return json;
    }
}
