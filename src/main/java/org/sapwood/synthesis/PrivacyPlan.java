package org.sapwood.synthesis;

import java.util.ArrayList;
import java.util.List;
import org.sapwood.io.UserException;
import org.sapwood.nn.UNet;
import org.sapwood.privacy.accounting.Calibration;
import org.sapwood.privacy.accounting.PldAccountant;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.clipping.AutomaticClipping;
import org.sapwood.privacy.clipping.ClippingRule;
import org.sapwood.privacy.clipping.FlatClipping;
import org.sapwood.privacy.clipping.LayerWiseClipping;

/**
 * What a private run will ask of the data and how noisy each answer must be for the whole to meet (ε, δ).
 *
 * @param events the selection query, if there is one, and the training steps
 * @param delta δ
 */
record PrivacyPlan(List<PrivacyEvent> events, double delta) {
    /** γ of automatic clipping, relative to C, as in arXiv 2206.07136. */
    private static final double AUTOMATIC_GAMMA = 0.01;

    /**
     * Calibrates a run.
     *
     * @param model public, without adapters
     * @param population number of sensitive images N
     * @throws UserException if the target cannot be met
     */
    static PrivacyPlan calibrate(TrainOptions options, UNet model, int population, PrivateQueries queries) {
        double delta = options.delta().orElseGet(() -> 1 / (population * Math.log(population)));
        double sensitivity =
                clipping(options, TrainedWeights.parameterCount(options, model)).sensitivity();
        PrivacyEvent training = queries.training().event(PrivateTrainer.EVENT, 0, sensitivity, options.steps());
        Calibration calibration = new Calibration(new PldAccountant(), options.epsilon(), delta);
        List<PrivacyEvent> events = new ArrayList<>();
        try {
            if (options.selection().queries()) {
                PrivacyEvent query = new SaliencySelection(
                                model, options.candidates().matrices(model), options)
                        .event(queries.selection());
                double noise = options.selectionNoise()
                        .orElseGet(() -> calibration.selectionNoiseMultiplier(query, training, List.of()));
                events.add(query.withNoiseMultiplier(noise));
            }
            events.add(training.withNoiseMultiplier(calibration.noiseMultiplier(training, events)));
            return new PrivacyPlan(events, delta);
        } catch (IllegalArgumentException e) {
            throw new UserException("--epsilon " + options.epsilon() + " cannot be met: " + e.getMessage(), e);
        }
    }

    /**
     * The clipping rule of a run.
     *
     * @param parameters number of parameters that train, each a group of layer-wise clipping
     */
    static ClippingRule clipping(TrainOptions options, int parameters) {
        double clipNorm = options.clipNorm();
        return switch (options.clipping()) {
            case FLAT -> new FlatClipping(clipNorm);
            case LAYER_WISE -> LayerWiseClipping.equal(clipNorm, parameters);
            case AUTOMATIC -> new AutomaticClipping(clipNorm, AUTOMATIC_GAMMA * clipNorm);
        };
    }
}
