package org.sapwood.evaluation;

import java.util.Optional;
import java.util.function.Consumer;
import org.sapwood.data.ImageSet;

/** Measures a synthetic set against real images. The result is a non-private diagnostic; see {@link EvaluationReport}. */
public final class Evaluation {
    private Evaluation() {}

    /**
     * Measures all that the options and the feature model allow.
     *
     * @param synthetic the images to judge; their classes are matched to the real ones by name
     * @param realTraining the private images that the generator was trained on
     * @param realTest real images that it was not trained on
     * @param featureModel for the fidelity, or empty to leave it out
     * @param progress receives a line before each long part; the lines hold no measurement
     * @throws org.sapwood.io.UserException if the sets do not fit together or are too small
     */
    public static EvaluationReport run(
            ImageSet synthetic,
            ImageSet realTraining,
            ImageSet realTest,
            Optional<FeatureModel> featureModel,
            EvaluationOptions options,
            Workers workers,
            Consumer<String> progress) {
        int classifiers = options.seeds().size();
        progress.accept("training " + classifiers + " classifiers on the synthetic images");
        DownstreamAccuracy downstream =
                DownstreamAccuracy.measure(synthetic, realTest, options.training(), options.seeds(), workers);
        Optional<DownstreamAccuracy> reference = Optional.empty();
        if (options.reference()) {
            progress.accept("training " + classifiers + " classifiers on the real images, the non-private reference");
            reference = Optional.of(
                    DownstreamAccuracy.measure(realTraining, realTest, options.training(), options.seeds(), workers));
        }
        Optional<Fidelity> fidelity = featureModel.map(model -> {
            progress.accept("comparing " + model.description());
            return Fidelity.measure(model, synthetic, realTraining, realTest, workers);
        });
        return new EvaluationReport(synthetic.size(), downstream, reference, fidelity);
    }
}
