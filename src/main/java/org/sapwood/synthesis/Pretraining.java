package org.sapwood.synthesis;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.TimestepSampler;
import org.sapwood.io.HostFacts;
import org.sapwood.io.RunFolder;
import org.sapwood.nn.AutoencoderFolder;
import org.sapwood.nn.ModelFolder;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.tensor.BackendChoice;

/** Trains a class-conditional model from scratch on public images: the start of every private run. */
public final class Pretraining {
    private static final String COMMAND = "pretrain";

    private Pretraining() {}

    /**
     * Starts a run in a new folder and trains to the end.
     *
     * @param threads workers; changes the speed, not the result
     * @throws org.sapwood.io.UserException if anything of the input does not fit
     */
    public static RunFolder start(
            PretrainOptions options, Path out, BackendChoice backend, int threads, ProgressListener progress) {
        Optional<AutoencoderFolder> autoencoder = options.autoencoder().isEmpty()
                ? Optional.empty()
                : Optional.of(AutoencoderFolder.find(Path.of(options.autoencoder())));
        TrainingImages images = images(options, autoencoder);
        UNet model = model(options, images);
        RunFolder folder = RunFolder.create(out);
        ModelFolder.writeConfig(model.config(), folder);
        autoencoder.ifPresent(a -> a.copyTo(folder.path()));
        RunRecord.write(
                folder,
                COMMAND,
                options.toJson(),
                Map.of("backend", backend.name() + " (" + backend.description() + ")"));
        return train(options, folder, images, model, backend, threads, progress);
    }

    /** Continues a run that was killed. */
    public static RunFolder resume(RunFolder folder, BackendChoice backend, int threads, ProgressListener progress) {
        PretrainOptions options = PretrainOptions.fromJson(RunRecord.options(folder, COMMAND));
        TrainingImages images = images(options, AutoencoderFolder.in(folder));
        return train(options, folder, images, model(options, images), backend, threads, progress);
    }

    private static TrainingImages images(PretrainOptions options, Optional<AutoencoderFolder> autoencoder) {
        return LatentImages.orPixels(options.data().open(), autoencoder, options.augmentation());
    }

    private static UNet model(PretrainOptions options, TrainingImages images) {
        int classes = images.classCount() + 1;
        UNetConfig config = options.model().equals(ReferenceModels.LATENT)
                ? UNetConfig.latent(images.height(), images.channels(), classes)
                : ReferenceModels.named(options.model(), classes);
        PublicModel.requireFit("--config " + options.model(), config, images);
        UNet model = new UNet(config);
        model.initialize(RandomSource.XO_SHI_RO_256_PP.create(options.seed()));
        return model;
    }

    private static RunFolder train(
            PretrainOptions options,
            RunFolder folder,
            TrainingImages images,
            UNet model,
            BackendChoice backend,
            int threads,
            ProgressListener progress) {
        long started = System.nanoTime();
        images.prepare(backend, threads);
        NoiseSchedule schedule = NoiseSchedule.named(options.noiseSchedule());
        PublicTrainer.Options how = new PublicTrainer.Options(
                options.steps(),
                options.batch(),
                options.learningRate(),
                1,
                options.warmUpSteps(),
                options.emaDecay(),
                options.labelDropout(),
                options.augmentation(),
                schedule,
                TimestepSampler.uniform(schedule.steps()),
                options.microBatch(),
                threads,
                options.seed());
        new PublicTrainer(how, model, images, backend, folder).run(progress);
        Map<String, Object> metrics = new LinkedHashMap<>();
        metrics.put("seconds", (System.nanoTime() - started) * 1e-9);
        HostFacts.peakResidentMib().ifPresent(mib -> metrics.put("peak_rss_mib", mib));
        metrics.put("threads", threads);
        RunRecord.putMetrics(folder, "training", metrics);
        return folder;
    }
}
