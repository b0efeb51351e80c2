package org.sapwood.cli;

import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.sapwood.io.UserException;
import org.sapwood.synthesis.AutoencoderOptions;
import org.sapwood.synthesis.AutoencoderPretraining;
import org.sapwood.tensor.BackendChoice;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sapwood pretrain-autoencoder}: trains the autoencoder of a latent diffusion model on public images. */
@Command(
        name = "pretrain-autoencoder",
        header = "Train the autoencoder of a latent diffusion model on public images.",
        description = {
            "",
            "The first of three steps of DP-LDM; the others are: sapwood pretrain --autoencoder RUN, and sapwood train"
                    + " --method dp-ldm. No clipping and no noise: the images must be public. A killed run goes on with:"
                    + " sapwood resume RUN",
            "",
            "Example: sapwood pretrain-autoencoder --data images_background_small1.zip --size 28 --invert --channels"
                    + " grey --out runs/omniglot-kl28",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class PretrainAutoencoderCommand implements Callable<Integer> {
    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Mixin
    private final PublicDataOptions images = new PublicDataOptions();

    @Option(
            names = "--config",
            paramLabel = "MODEL",
            defaultValue = "kl28",
            description = "kl28 (28×28 grey to 7×7×4), kl32-16x3 (32×32 colour to 16×16×3), kl32-8x4 (to 8×8×4) or a"
                    + " diffusers config.json of an AutoencoderKL (default: ${DEFAULT-VALUE}).")
    private String config;

    @ArgGroup(validate = false, heading = "%nTraining:%n")
    private final Updates updates = new Updates();

    @ArgGroup(validate = false, heading = "%nAugmentation:%n")
    private final ImageChangeOptions changes = new ImageChangeOptions();

    /** How the weights are updated. */
    @SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
    static final class Updates extends PublicUpdateOptions {
        @Option(
                names = "--steps",
                paramLabel = "T",
                defaultValue = "6000",
                description = "Training steps, >= 1 (default: ${DEFAULT-VALUE}).")
        private int steps;

        @Option(
                names = "--batch",
                paramLabel = "B",
                defaultValue = "32",
                description = "Images per step, >= 1 (default: ${DEFAULT-VALUE}).")
        private int batch;

        @Option(
                names = "--warm-up",
                paramLabel = "STEPS",
                defaultValue = "200",
                description = "Steps over which the learning rate rises, >= 0 (default: ${DEFAULT-VALUE}).")
        private int warmUp;

        @Option(
                names = "--kl-weight",
                paramLabel = "W",
                defaultValue = "1e-4",
                description =
                        "Weight of the latents' KL divergence from N(0, I) against the squared error summed over an"
                                + " image, >= 0: more makes latents smoother and images blurred (default: ${DEFAULT-VALUE}).")
        private double klWeight;

        @Option(
                names = "--micro-batch",
                paramLabel = "M",
                defaultValue = "0",
                description = "Images that a worker takes at a time; 0 takes what suits the backend (default:"
                        + " ${DEFAULT-VALUE}).")
        private int microBatch;
    }

    @Override
    public Integer call() {
        int threads = common.threads();
        AutoencoderOptions options = options();
        BackendChoice backend = common.backend();
        AutoencoderPretraining.Result result;
        try (Progress progress = common.progress("autoencoder")) {
            result = AutoencoderPretraining.start(options, images.out(), backend, threads, progress);
        }
        report(result, common);
        return ExitCode.OK;
    }

    /** Prints what came of it, for {@code resume} too. */
    static void report(AutoencoderPretraining.Result result, CommonOptions common) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("run", result.folder().path());
        data.put("scaling_factor", result.scalingFactor());
        data.put("reconstruction_rmse", result.reconstructionError());
        common.result(
                data,
                List.of(
                        "trained " + result.folder().path().resolve("vae"),
                        String.format(
                                Locale.ROOT,
                                "decoded images are off by %.4f (root mean square, pixels on [-1, 1])",
                                result.reconstructionError()),
                        "next: sapwood pretrain --autoencoder "
                                + result.folder().path()));
    }

    private AutoencoderOptions options() {
        changes.check(common.check());
        try {
            return new AutoencoderOptions(
                    images.source(),
                    TrainCommand.config(config),
                    updates.steps,
                    updates.batch,
                    updates.learningRate(),
                    updates.warmUp,
                    updates.emaDecay(),
                    updates.klWeight,
                    changes.augmentation(),
                    updates.microBatch,
                    common.seed().orElseGet(() -> new SecureRandom().nextLong()));
        } catch (UserException e) {
            throw common.check().error(String.valueOf(e.getMessage()));
        }
    }
}
