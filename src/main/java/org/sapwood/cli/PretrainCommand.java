package org.sapwood.cli;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.io.RunFolder;
import org.sapwood.io.UserException;
import org.sapwood.synthesis.PretrainOptions;
import org.sapwood.synthesis.Pretraining;
import org.sapwood.tensor.BackendChoice;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sapwood pretrain}: trains a model from scratch on public images. */
@Command(
        name = "pretrain",
        header = "Train a model from scratch on public images.",
        description = {
            "",
            "No clipping and no noise: what is trained here remembers its images, so they must be public. A killed run"
                    + " goes on with: sapwood resume RUN",
            "",
            "Example: sapwood pretrain --data images_background_small1.zip --data images_background_small2.zip --size"
                    + " 28 --invert --channels grey --out runs/omniglot",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class PretrainCommand implements Callable<Integer> {
    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Mixin
    private final PublicDataOptions images = new PublicDataOptions();

    @Option(
            names = "--config",
            paramLabel = "MODEL",
            description =
                    "unet28 (28×28 grey, 1.1 M weights), unet28x (the same size with transformers that the class enters"
                            + " by, 1.5 M), unet32 (32×32 colour, 4.6 M) or a diffusers config.json; the"
                            + " number of classes follows the data (default: unet28, or with"
                            + " --autoencoder one with transformer blocks that fits its latents).")
    private @Nullable String config;

    @Option(
            names = "--autoencoder",
            paramLabel = "RUN",
            description =
                    "Train on the latents of this autoencoder, for DP-LDM: the folder of a pretrain-autoencoder run"
                            + " or of a diffusers pipeline.")
    private @Nullable Path autoencoder;

    @Option(
            names = "--export",
            paramLabel = "DIR",
            description =
                    "Write the finished model also to DIR, as model.safetensors in float16 beside its config.json.")
    private @Nullable Path export;

    @ArgGroup(validate = false, heading = "%nTraining:%n")
    private final Updates updates = new Updates();

    @ArgGroup(validate = false, heading = "%nAugmentation:%n")
    private final AugmentationOptions augmentation = new AugmentationOptions();

    /** How the weights are updated; the defaults differ from those of private training. */
    @SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
    static final class Updates extends PublicUpdateOptions {
        @Option(
                names = "--steps",
                paramLabel = "T",
                defaultValue = "20000",
                description = "Training steps, >= 1 (default: ${DEFAULT-VALUE}).")
        private int steps;

        @Option(
                names = "--batch",
                paramLabel = "B",
                defaultValue = "64",
                description = "Images per step, >= 1 (default: ${DEFAULT-VALUE}).")
        private int batch;

        @Option(
                names = "--warm-up",
                paramLabel = "STEPS",
                defaultValue = "500",
                description = "Steps over which the learning rate rises, >= 0 (default: ${DEFAULT-VALUE}).")
        private int warmUp;

        @Option(
                names = "--schedule",
                paramLabel = "NAME",
                defaultValue = NoiseSchedule.DEFAULT_NAME,
                description = "Noise schedule: linear or cosine, of 1000 steps unless it says otherwise (linear:500)"
                        + " (default: ${DEFAULT-VALUE}).")
        private String schedule;

        @Option(
                names = "--micro-batch",
                paramLabel = "M",
                defaultValue = "0",
                description =
                        "Images that a worker takes at a time; 0 takes 16 on the host and, on a GPU, as many as suit"
                                + " its memory, up to 256 (default: ${DEFAULT-VALUE}).")
        private int microBatch;
    }

    @Override
    public Integer call() {
        int threads = common.threads();
        PretrainOptions options = options();
        BackendChoice backend = common.backend();
        RunFolder folder;
        try (Progress progress = common.progress("pretrain")) {
            folder = Pretraining.start(options, images.out(), backend, threads, progress);
        }
        if (export != null) {
            ModelExport.write(new TrainedRun(folder).model(), export);
        }
        report(folder, common, backend);
        return ExitCode.OK;
    }

    /** Draws the sheet, writes the report and prints where things are, for {@code resume} too. */
    static void report(RunFolder folder, CommonOptions common, BackendChoice backend) {
        TrainedRun run = new TrainedRun(folder);
        run.finish(common, backend);
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("run", folder.path());
        data.put("checkpoint", run.model().weights());
        common.result(data, List.of("trained " + run.model().weights(), "open " + folder.report()));
    }

    private String defaultConfig() {
        return autoencoder == null ? "unet28" : "latent";
    }

    private PretrainOptions options() {
        augmentation.check(common.check());
        try {
            return new PretrainOptions(
                    images.source(),
                    config == null ? defaultConfig() : TrainCommand.config(config),
                    autoencoder == null ? "" : TrainCommand.absolute(autoencoder.toString()),
                    updates.steps,
                    updates.batch,
                    updates.learningRate(),
                    updates.warmUp,
                    updates.emaDecay(),
                    augmentation.labelDropout(),
                    augmentation.augmentation(),
                    updates.schedule,
                    updates.microBatch,
                    common.seed().orElseGet(() -> new SecureRandom().nextLong()));
        } catch (UserException e) {
            throw common.check().error(String.valueOf(e.getMessage()));
        }
    }
}
