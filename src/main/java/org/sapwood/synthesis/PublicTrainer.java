package org.sapwood.synthesis;

import java.util.Map;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.data.ImageSet;
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

    private static final double FINAL_SHARE = 0.1;

    /** Keys the batch draws apart from the image draws, which count examples from 0. */
    private static final long BATCH_STREAM = -1;

    private final Options options;
    private final UNet model;
    private final ImageSet images;
    private final BackendChoice backend;
    private final RunFolder folder;

    /**
     * @param model with the parameters that are to change trainable
     * @param images labelled 0 … classes − 2; the model's last class means none
     */
    public PublicTrainer(Options options, UNet model, ImageSet images, BackendChoice backend, RunFolder folder) {
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
                    options.labelDropout(),
                    Math.max(0, model.config().classes() - 1),
                    options.seed(),
                    options.threads());
            PublicGradientSum sum = PublicGradientSum.of(engine, options.batch(), parameters.size());
            sum.prepare(state);
            CheckpointClock clock = new CheckpointClock();
            RateMeter meter = new RateMeter();
            while (state.step() < options.steps()) {
                step(state, engine, draws, sum);
                meter.add(options.batch());
                clock.maybe(() -> state.save(folder));
                progress.step(state.step(), options.steps(), Double.NaN, meter.perSecond());
            }
            clock.now(() -> state.save(folder));
            state.finish();
        }
    }

    private void step(TrainingState state, GradientEngine engine, DenoisingDraws draws, PublicGradientSum sum) {
        int[] batch = new int[options.batch()];
        DrawRandom random = new DrawRandom().key(options.seed(), state.step(), BATCH_STREAM, 0);
        for (int i = 0; i < batch.length; i++) {
            batch[i] = random.nextInt(images.size());
        }
        draws.select(state.step(), batch);
        engine.run(batch.length, draws, sum);
        sum.train(state, 1f / batch.length, learningRate(state.step()));
    }

    private double learningRate(long step) {
        if (step < options.warmUpSteps()) {
            return options.learningRate() * (step + 1) / options.warmUpSteps();
        }
        double progress =
                (double) (step - options.warmUpSteps()) / Math.max(1, options.steps() - options.warmUpSteps());
        double cosine = 0.5 * (1 + Math.cos(Math.PI * progress));
        return options.learningRate() * (FINAL_SHARE + (1 - FINAL_SHARE) * cosine);
    }
}
