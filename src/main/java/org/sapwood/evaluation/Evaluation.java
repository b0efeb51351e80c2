package org.sapwood.evaluation;

import java.util.Optional;
import java.util.function.Consumer;
import org.sapwood.data.ImageSet;

/** Measures a synthetic set against real images. The result is a non-private diagnostic; see {@link EvaluationReport}. */
public final class Evaluation {
    private Evaluation() {}

    /**
     * Measures all that the options and the feature space allow.
     *
     * @param synthetic the images to judge; their classes are matched to the real ones by name
     * @param realTraining the private images that the generator was trained on
     * @param realTest real images that it was not trained on
     * @param space for the fidelity, or empty to leave it out
     * @param progress receives a line before each long part; the lines hold no measurement
     * @throws org.sapwood.io.UserException if the sets do not fit together or are too small
     */
    public static EvaluationReport run(
            ImageSet synthetic,
            ImageSet realTraining,
            ImageSet realTest,
            Optional<? extends FeatureSpace> space,
            EvaluationOptions options,
            Workers workers,
            Consumer<String> progress) {
        DownstreamAccuracy downstream = DownstreamAccuracy.measure(
                synthetic, realTest, options, workers, line -> progress.accept(line + " on the synthetic images"));
        Optional<DownstreamAccuracy> reference = Optional.empty();
        if (options.reference()) {
            reference = Optional.of(DownstreamAccuracy.measure(
                    realTraining,
                    realTest,
                    options,
                    workers,
                    line -> progress.accept(line + " on the real images, the non-private reference")));
        }
        Optional<Fidelity> fidelity = space.map(s -> {
            progress.accept("comparing " + s.description());
            return Fidelity.measure(s, synthetic, realTraining, realTest, workers);
        });
        return new EvaluationReport(synthetic.size(), downstream, reference, fidelity);
    }
}
