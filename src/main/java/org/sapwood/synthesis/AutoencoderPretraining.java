package org.sapwood.synthesis;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.data.ImageSet;
import org.sapwood.io.HostFacts;
import org.sapwood.io.RunFolder;
import org.sapwood.io.UserException;
import org.sapwood.nn.Autoencoder;
import org.sapwood.nn.AutoencoderConfig;
import org.sapwood.nn.AutoencoderFolder;
import org.sapwood.nn.AutoencoderTape;
import org.sapwood.tensor.BackendChoice;

/** Trains the autoencoder of a latent diffusion model on public images. */
public final class AutoencoderPretraining {
    /** Name of the command in {@code run.json}. */
    public static final String COMMAND = "pretrain-autoencoder";

    /** Images at most over which scaling factor and reconstruction error are measured. */
    private static final int MEASURED_IMAGES = 10_000;

    private AutoencoderPretraining() {}

    /**
     * What a finished run says of itself.
     *
     * @param folder of the run, with the autoencoder in {@code vae/}
     * @param scalingFactor 1/standard deviation of the latents
     * @param reconstructionError root mean square error of the decoded means, pixels being on [−1, 1]
     */
    public record Result(RunFolder folder, double scalingFactor, double reconstructionError) {}

    /**
     * Starts a run in a new folder and trains to the end.
     *
     * @param threads workers; change the speed, not the result
     * @throws UserException if anything of the input does not fit; nothing is left behind then
     */
    public static Result start(
            AutoencoderOptions options, Path out, BackendChoice backend, int threads, ProgressListener progress) {
        ImageSet images = options.data().open();
        Autoencoder model = model(options, images);
        RunFolder folder = RunFolder.create(out);
        writeConfig(model.config(), folder);
        RunRecord.write(
                folder,
                COMMAND,
                options.toJson(),
                Map.of("backend", backend.name() + " (" + backend.description() + ")"));
        return train(options, folder, images, model, backend, threads, progress);
    }

    /** Continues a run that was killed. */
    public static Result resume(RunFolder folder, BackendChoice backend, int threads, ProgressListener progress) {
        AutoencoderOptions options = AutoencoderOptions.fromJson(RunRecord.options(folder, COMMAND));
        ImageSet images = options.data().open();
        return train(options, folder, images, model(options, images), backend, threads, progress);
    }

    private static Autoencoder model(AutoencoderOptions options, ImageSet images) {
        AutoencoderConfig config = options.shape();
        LatentImages.requireFit("--config " + options.config(), config, new PixelImages(images));
        if (images.size() == 0) {
            throw new UserException("--data holds no image to train on");
        }
        Autoencoder model = new Autoencoder(config);
        model.initialize(RandomSource.XO_SHI_RO_256_PP.create(options.seed()));
        return model;
    }

    private static void writeConfig(AutoencoderConfig config, RunFolder folder) {
        folder.writeJson(folder.path().resolve("config.json"), config.toJson());
    }

    private static Result train(
            AutoencoderOptions options,
            RunFolder folder,
            ImageSet images,
            Autoencoder model,
            BackendChoice backend,
            int threads,
            ProgressListener progress) {
        long started = System.nanoTime();
        ParameterVector parameters = model.parameters().trainable();
        TrainingState state = new TrainingState(model.parameters(), parameters, options.emaDecay(), Map.of());
        state.restore(folder);
        try (GradientEngine engine = new GradientEngine(
                backend,
                threads,
                model.parameters(),
                (own, arena, slots, lossScale) ->
                        new AutoencoderTape(own, arena, model, slots, options.divergenceWeight(), lossScale),
                parameters,
                GradientEngine.Rows.SUMMED,
                options.microBatch(),
                1)) {
            PublicLoop loop = new PublicLoop(
                    options.steps(), options.batch(), options.learningRate(), options.warmUpSteps(), options.seed());
            AutoencoderDraws draws = new AutoencoderDraws(
                    new PixelImages(images), model.config(), options.augmentation(), options.seed(), threads);
            loop.run(state, engine, parameters.size(), draws, images.size(), folder, progress);
        }
        Result result = finish(folder, images, model, backend, threads);
        Map<String, Object> metrics = new LinkedHashMap<>();
        metrics.put("trained_weights", parameters.size());
        metrics.put("scaling_factor", result.scalingFactor());
        metrics.put("reconstruction_rmse", result.reconstructionError());
        metrics.put("seconds", (System.nanoTime() - started) * 1e-9);
        HostFacts.peakResidentMib().ifPresent(mib -> metrics.put("peak_rss_mib", mib));
        metrics.put("threads", threads);
        RunRecord.putMetrics(folder, "training", metrics);
        return result;
    }

    /** Measures the latents of the averaged weights and writes the autoencoder where other runs look for it. */
    private static Result finish(
            RunFolder folder, ImageSet images, Autoencoder model, BackendChoice backend, int threads) {
        TrainingImages measured = new PixelImages(spread(images));
        LatentImages latents = LatentImages.of("the autoencoder", model, measured, Augmentation.NONE);
        latents.prepare(backend, threads);
        double scalingFactor = 1 / latents.standardDeviation();
        if (!Double.isFinite(scalingFactor)) {
            throw new UserException("the latents of the public images do not vary (1/standard deviation is "
                    + scalingFactor + "): the training failed; try a lower --learning-rate or --kl-weight");
        }
        float[] decoded = new LatentCodec(model, backend, threads).decode(latents.values());
        AutoencoderConfig config = model.config().withScalingFactor(scalingFactor);
        writeConfig(config, folder);
        AutoencoderFolder.save(model, config, folder.path());
        return new Result(folder, scalingFactor, rootMeanSquare(measured, decoded));
    }

    /** All images, or as many as are measured, from all over the set: those of one class often stand together. */
    private static ImageSet spread(ImageSet images) {
        if (images.size() <= MEASURED_IMAGES) {
            return images;
        }
        int[] indices = new int[MEASURED_IMAGES];
        for (int i = 0; i < indices.length; i++) {
            indices[i] = (int) ((long) i * images.size() / MEASURED_IMAGES);
        }
        return images.select(indices);
    }

    private static double rootMeanSquare(TrainingImages images, float[] decoded) {
        float[] image = new float[images.imageLength()];
        double squares = 0;
        for (int i = 0; i < images.size(); i++) {
            images.copyImage(i, image, 0);
            for (int j = 0; j < image.length; j++) {
                double error = decoded[i * image.length + j] - image[j];
                squares += error * error;
            }
        }
        return Math.sqrt(squares / decoded.length);
    }
}
