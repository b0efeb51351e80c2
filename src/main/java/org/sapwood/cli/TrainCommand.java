package org.sapwood.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.sapwood.data.ImageSource;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.TimestepSampler;
import org.sapwood.io.UserException;
import org.sapwood.nn.ModelFolder;
import org.sapwood.synthesis.FineTuning;
import org.sapwood.synthesis.GradientExplanation;
import org.sapwood.synthesis.Method;
import org.sapwood.synthesis.SelectionRule;
import org.sapwood.synthesis.TrainOptions;
import org.sapwood.synthesis.dpaf.Dpaf;
import org.sapwood.synthesis.dpaf.DpafOptions;
import org.sapwood.tensor.BackendChoice;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sapwood train}: trains on sensitive images by one of the methods. */
@Command(
        name = "train",
        header = "Train on sensitive images, privately.",
        description = {
            "",
            "Calibrates the noise to (ε, δ), trains, and leaves in the run folder: run.json (every"
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
            description = "dp-sapf (adapters on privately selected matrices), dp-lora (adapters on all candidates),"
                    + " dp-diffusion (every weight), dp-ldm (transformer blocks of a latent model), dpaf (a GAN that sees"
                    + " noised sums of features) or non-private (every weight, no clipping, no noise: an upper bound).")
    private Method method;

    @Option(
            names = "--public-model",
            paramLabel = "M",
            description = "The public model: a .safetensors file beside its config.json, a run folder or a diffusers"
                    + " folder; or none for random weights of the shape that --config names (dp-diffusion, non-private)."
                    + " Required but for dpaf, which has no public model.")
    private @Nullable String publicModel;

    @Option(
            names = "--config",
            paramLabel = "MODEL",
            description = "With --public-model none: unet28, unet28x, unet32 or a diffusers config.json.")
    private @Nullable String config;

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

    @Option(
            names = "--explain",
            description =
                    "Print for every layer how its gradients are bounded, with memory and cost, and do not train.")
    private boolean explain;

    @ArgGroup(validate = false, heading = "%nReading images:%n")
    private final ReadingOptions reading = new ReadingOptions();

    @ArgGroup(validate = false, heading = "%nPrivacy:%n")
    private final BudgetOptions budget = new BudgetOptions();

    @ArgGroup(validate = false, heading = "%nWhat trains (dp-sapf and dp-lora; the last two also dp-ldm):%n")
    private final AdapterOptions adapters = new AdapterOptions();

    @ArgGroup(validate = false, heading = "%nTraining:%n")
    private final TrainingOptions training = new TrainingOptions();

    @ArgGroup(validate = false, heading = "%nDiffusion:%n")
    private final ScheduleOptions schedule = new ScheduleOptions();

    @ArgGroup(validate = false, heading = "%nAugmentation:%n")
    private final AugmentationOptions augmentation = new AugmentationOptions();

    @ArgGroup(validate = false, heading = "%nThe GAN (dpaf only):%n")
    private final DpafOptionsGroup gan = new DpafOptionsGroup();

    @Override
    public Integer call() {
        MethodScope.check(common.parsed(), method, common.check());
        int threads = common.threads();
        MethodDefaults defaults = MethodDefaults.of(method);
        FineTuning.Result result;
        BackendChoice backend;
        if (method == Method.DPAF) {
            DpafOptions options = ganOptions(defaults);
            backend = common.backend();
            try (Progress progress = common.progress("train")) {
                result = Dpaf.start(options, out, backend, threads, progress);
            }
        } else {
            TrainOptions options = options(defaults);
            backend = common.backend();
            if (explain) {
                GradientExplanation explanation = FineTuning.explain(options, backend);
                common.result(explanation.toJson(), explanation.lines());
                return ExitCode.OK;
            }
            try (Progress progress = common.progress("train")) {
                result = FineTuning.start(options, out, backend, threads, progress);
            }
        }
        TrainingResult.report(result, common, backend);
        return ExitCode.OK;
    }

    private TrainOptions options(MethodDefaults defaults) {
        augmentation.check(common.check());
        double epsilon = epsilon();
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
            TimestepSampler timesteps = schedule.timesteps(noise, defaults);
            return new TrainOptions(
                    method,
                    fromScratch() ? publicModel() : absolute(publicModel()),
                    config == null ? "" : config(config),
                    source(),
                    epsilon,
                    budget.delta(),
                    training.batch(defaults),
                    training.steps(defaults),
                    training.augmentations(defaults),
                    training.timestepsPerImage(defaults),
                    budget.clipNorm(defaults),
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
                    adapters.firstTrainedBlock(),
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

    private DpafOptions ganOptions(MethodDefaults defaults) {
        try {
            return gan.toOptions(
                    source(),
                    epsilon(),
                    budget.delta(),
                    training.batch(defaults),
                    training.steps(defaults),
                    common.seed());
        } catch (UserException e) {
            throw common.check().error(String.valueOf(e.getMessage()));
        }
    }

    private ImageSource source() {
        return new ImageSource(data.stream().map(TrainCommand::absolute).toList(), reading.toReadOptions());
    }

    /** ε asked for; infinite for a method that needs none. */
    private double epsilon() {
        Double epsilon = budget.epsilon();
        if (epsilon != null) {
            common.check().positive("--epsilon", epsilon);
            return epsilon;
        }
        if (method.isPrivate()) {
            throw common.check().error("--epsilon is required for --method " + method.text());
        }
        return Double.POSITIVE_INFINITY;
    }

    private String publicModel() {
        if (publicModel == null) {
            throw common.check().error("--public-model is required for --method " + method.text());
        }
        return publicModel;
    }

    /** The schedule that the public model was trained with, as its file says. */
    private String publicSchedule() {
        if (fromScratch()) {
            return NoiseSchedule.DEFAULT_NAME;
        }
        return ModelFolder.find(Path.of(publicModel()))
                .metadata()
                .getOrDefault(ModelFolder.NOISE_SCHEDULE, NoiseSchedule.DEFAULT_NAME);
    }

    private boolean fromScratch() {
        return publicModel().equals(TrainOptions.NO_PUBLIC_MODEL);
    }

    /** {@code --config} for a run that may be resumed from another working directory: names stay, paths become absolute. */
    static String config(String nameOrFile) {
        return nameOrFile.contains(".") || nameOrFile.contains("/") ? absolute(nameOrFile) : nameOrFile;
    }

    /** A run may be resumed from another working directory; built-in sets are no paths. */
    static String absolute(String location) {
        return location.startsWith("glyphs:")
                ? location
                : Path.of(location).toAbsolutePath().normalize().toString();
    }
}
