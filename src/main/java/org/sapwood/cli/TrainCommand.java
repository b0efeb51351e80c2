package org.sapwood.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.sapwood.data.ImageSource;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.TimestepSampler;
import org.sapwood.io.Safetensors;
import org.sapwood.io.UserException;
import org.sapwood.nn.ModelFolder;
import org.sapwood.synthesis.FineTuning;
import org.sapwood.synthesis.Method;
import org.sapwood.synthesis.SelectionRule;
import org.sapwood.synthesis.TrainOptions;
import org.sapwood.tensor.BackendChoice;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sapwood train}: fine-tunes a public model on sensitive images. */
@Command(
        name = "train",
        header = "Fine-tune a public model on sensitive images, privately.",
        description = {
            "",
            "Calibrates the noise to (ε, δ), selects matrices, trains, and leaves in the run folder: run.json (every"
                    + " option), privacy.json (the ledger), checkpoint-<step>.safetensors beside config.json,"
                    + " metrics.json, samples/grid.png and report.html. A killed run goes on with: sapwood resume RUN",
            "",
            "Example: sapwood train --method dp-sapf --public-model pretrained/checkpoint-20000.safetensors"
                    + " --data mnist --subset 0:8000 --epsilon 10 --out runs/mnist",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class TrainCommand implements Callable<Integer> {
    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Option(
            names = "--method",
            required = true,
            paramLabel = "METHOD",
            description = "dp-sapf (adapters on privately selected matrices), dp-lora (adapters on all candidates) or"
                    + " non-private (all weights, no clipping, no noise: an upper bound).")
    private Method method;

    @Option(
            names = "--public-model",
            required = true,
            paramLabel = "M",
            description = "The public model: a .safetensors file beside its config.json, or a diffusers folder.")
    private Path publicModel;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "D",
            description =
                    "The sensitive images: an IDX images file (labels found beside it) or its folder, a folder or zip"
                            + " of class folders, CIFAR binary, .npz, or glyphs:sensitive:COUNT:SEED for built-in ones."
                            + " Repeat to merge class folders.")
    private List<String> data;

    @Option(names = "--out", required = true, paramLabel = "RUN", description = "The run folder; must be new or empty.")
    private Path out;

    @ArgGroup(validate = false, heading = "%nReading images:%n")
    private final ReadingOptions reading = new ReadingOptions();

    @ArgGroup(validate = false, heading = "%nPrivacy:%n")
    private final BudgetOptions budget = new BudgetOptions();

    @ArgGroup(validate = false, heading = "%nWhat trains (not for non-private, which trains everything):%n")
    private final AdapterOptions adapters = new AdapterOptions();

    @ArgGroup(validate = false, heading = "%nTraining:%n")
    private final TrainingOptions training = new TrainingOptions();

    @ArgGroup(validate = false, heading = "%nDiffusion:%n")
    private final ScheduleOptions schedule = new ScheduleOptions();

    @ArgGroup(validate = false, heading = "%nAugmentation:%n")
    private final AugmentationOptions augmentation = new AugmentationOptions();

    @Override
    public Integer call() {
        int threads = common.threads();
        TrainOptions options = options();
        BackendChoice backend = common.backend();
        FineTuning.Result result;
        try (Progress progress = common.progress("train")) {
            result = FineTuning.start(options, out, backend, threads, progress);
        }
        TrainingResult.report(result, common, backend);
        return ExitCode.OK;
    }

    private TrainOptions options() {
        augmentation.check(common.check());
        Double epsilon = budget.epsilon();
        if (epsilon != null) {
            common.check().positive("--epsilon", epsilon);
        } else if (method.isPrivate()) {
            throw common.check().error("--epsilon is required for --method " + method.text());
        }
        SelectionRule rule = adapters.selection();
        if (rule == null) {
            rule = method == Method.DP_SAPF ? SelectionRule.ENERGY : SelectionRule.ALL;
        }
        if (method == Method.DP_LORA && rule != SelectionRule.ALL) {
            throw common.check()
                    .error("--method dp-lora adapts all candidates; use --method dp-sapf with --selection "
                            + ChoiceConverter.name(rule));
        }
        String publicSchedule = publicSchedule();
        try {
            NoiseSchedule noise = schedule.schedule(publicSchedule);
            TimestepSampler timesteps = schedule.timesteps(noise);
            return new TrainOptions(
                    method,
                    absolute(publicModel.toString()),
                    new ImageSource(data.stream().map(TrainCommand::absolute).toList(), reading.toReadOptions()),
                    epsilon == null ? Double.POSITIVE_INFINITY : epsilon,
                    budget.delta(),
                    training.batch(),
                    training.steps(),
                    training.augmentations(),
                    budget.clipNorm(),
                    budget.clipping(),
                    training.learningRate(),
                    training.labelLearningRate(),
                    training.labelGradientScale(),
                    training.warmUp(),
                    training.emaDecay(),
                    adapters.loraRank(),
                    adapters.loraScale(),
                    adapters.candidates(),
                    rule,
                    adapters.selectFraction(),
                    adapters.selectionRate(),
                    adapters.selectionNoise(),
                    adapters.selectionDraws(),
                    adapters.votes(),
                    adapters.trainLabelEmbedding(),
                    augmentation.augmentation(),
                    augmentation.labelDropout(),
                    timesteps.toString(),
                    noise.toString(),
                    training.microBatch(),
                    common.seed());
        } catch (UserException e) {
            throw common.check().error(String.valueOf(e.getMessage()));
        }
    }

    /** The schedule that the public model was trained with, as its file says. */
    private String publicSchedule() {
        Path weights = ModelFolder.find(publicModel).weights();
        return Safetensors.read(weights)
                .metadata()
                .getOrDefault(ModelFolder.NOISE_SCHEDULE, SyntheticImages.DEFAULT_SCHEDULE);
    }

    /** A run may be resumed from another working directory; built-in sets are no paths. */
    static String absolute(String location) {
        return location.startsWith("glyphs:")
                ? location
                : Path.of(location).toAbsolutePath().normalize().toString();
    }
}
