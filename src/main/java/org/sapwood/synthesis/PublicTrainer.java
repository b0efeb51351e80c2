package org.sapwood.synthesis;

import java.util.Map;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.TimestepSampler;
import org.sapwood.io.RunFolder;
import org.sapwood.nn.ModelFolder;
import org.sapwood.nn.UNet;
import org.sapwood.tensor.BackendChoice;

/**
 * Ordinary training of a denoising model, without clipping or noise: pretraining on public images, and the non-private
 * upper bound. Batches are drawn with replacement; everything follows from the seed.
 */
public final class PublicTrainer {
    /**
     * How to train.
     *
     * @param steps updates, ≥ 1
     * @param batch images per update, ≥ 1
     * @param learningRate of Adam, > 0
     * @param labelRateFactor learning rate of the label embedder as a multiple of the common one, > 0
     * @param warmUpSteps updates over which the learning rate rises linearly, ≥ 0; it falls along a half cosine to a
     *     tenth afterwards
     * @param emaDecay of the averaged weights, in [0, 1)
     * @param labelDropout share of draws whose label is hidden, in [0, 1]
     * @param augmentation of the images
     * @param schedule noise schedule
     * @param timesteps distribution of training timesteps
     * @param microBatch images per worker at a time, or 0 for what suits the backend
     * @param threads workers, ≥ 1; does not change the result
     * @param seed of batches and draws
     */
    public record Options(
            int steps,
            int batch,
            double learningRate,
            double labelRateFactor,
            int warmUpSteps,
            double emaDecay,
            double labelDropout,
            Augmentation augmentation,
            NoiseSchedule schedule,
            TimestepSampler timesteps,
            int microBatch,
            int threads,
            long seed) {}

    private final Options options;
    private final UNet model;
    private final TrainingImages images;
    private final BackendChoice backend;
    private final RunFolder folder;

    /**
     * @param model with the parameters that are to change trainable
     * @param images labelled 0 … classes − 2; the model's last class means none
     */
    public PublicTrainer(Options options, UNet model, TrainingImages images, BackendChoice backend, RunFolder folder) {
        this.options = options;
        this.model = model;
        this.images = images;
        this.backend = backend;
        this.folder = folder;
    }

    /**
     * Trains to the end, from the newest checkpoint of the folder if there is one; the model then holds the averaged
     * weights, and the folder the final checkpoint.
     */
    public void run(ProgressListener progress) {
        ParameterVector parameters = model.parameters().trainable();
        Map<String, String> metadata =
                Map.of(ModelFolder.NOISE_SCHEDULE, options.schedule().toString());
        TrainingState state = new TrainingState(model, parameters, options.emaDecay(), metadata);
        state.scaleLabelRate(options.labelRateFactor());
        state.restore(folder);
        boolean conditional = model.config().classes() > 0;
        try (GradientEngine engine = new GradientEngine(
                backend,
                options.threads(),
                model,
                parameters,
                GradientEngine.Rows.SUMMED,
                options.microBatch(),
                1,
                conditional)) {
            DenoisingDraws draws = new DenoisingDraws(
                    images,
                    options.schedule(),
                    options.timesteps(),
                    options.augmentation(),
                    1,
                    options.labelDropout(),
                    Math.max(0, model.config().classes() - 1),
                    options.seed(),
                    options.threads());
            new PublicLoop(
                            options.steps(),
                            options.batch(),
                            options.learningRate(),
                            options.warmUpSteps(),
                            options.seed())
                    .run(state, engine, parameters.size(), draws, images.size(), folder, progress);
        }
    }
}
