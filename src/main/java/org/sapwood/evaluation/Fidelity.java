package org.sapwood.evaluation;

import java.util.LinkedHashMap;
import java.util.Map;
import org.sapwood.data.ImageSet;

/**
 * How close a synthetic set is to the real training images in a feature space.
 *
 * @param featureSpace which one, see {@link FeatureSpace#description}
 * @param distanceName what the distance is called in it, see {@link FeatureSpace#distanceName}
 * @param features length of a feature vector
 * @param fewestImages images of the smallest of the three sets
 * @param frechetDistance squared Fréchet distance between synthetic and real training images, ≥ 0
 * @param realTestFrechetDistance the same between real test and real training images: the scale to read it by
 * @param precisionRecall of the synthetic against the real training images
 */
public record Fidelity(
        String featureSpace,
        String distanceName,
        int features,
        int fewestImages,
        double frechetDistance,
        double realTestFrechetDistance,
        PrecisionRecall precisionRecall) {
    /**
     * Measures all.
     *
     * @throws org.sapwood.io.UserException if the images do not fit the space or are too few
     */
    public static Fidelity measure(
            FeatureSpace space, ImageSet synthetic, ImageSet realTraining, ImageSet realTest, Workers workers) {
        Features syntheticFeatures = space.features(synthetic, workers);
        Features realFeatures = space.features(realTraining, workers);
        Features testFeatures = space.features(realTest, workers);
        FeatureGaussian real = FeatureGaussian.fit(realFeatures, workers);
        return new Fidelity(
                space.description(),
                space.distanceName(),
                realFeatures.length(),
                Math.min(realFeatures.count(), Math.min(syntheticFeatures.count(), testFeatures.count())),
                FeatureGaussian.fit(syntheticFeatures, workers).frechetDistance(real, workers),
                FeatureGaussian.fit(testFeatures, workers).frechetDistance(real, workers),
                PrecisionRecall.measure(realFeatures, syntheticFeatures, workers));
    }

    /** Whether a covariance was estimated from so few images that it has no full rank: distances are then too large. */
    public boolean tooFewImages() {
        return fewestImages <= features;
    }

    /** For {@code metrics.json}. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("feature_space", featureSpace);
        json.put("distance", distanceName);
        json.put("frechet_distance", frechetDistance);
        json.put("real_test_frechet_distance", realTestFrechetDistance);
        json.put("more_images_than_features", !tooFewImages());
        json.put("precision", precisionRecall.precision());
        json.put("recall", precisionRecall.recall());
        json.put("precision_recall_neighbours", PrecisionRecall.NEIGHBOURS);
        json.put("precision_recall_images_per_side", precisionRecall.imagesPerSide());
        return json;
    }
}
