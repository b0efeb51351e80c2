package org.sapwood.synthesis;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.TimestepSampler;
import org.sapwood.io.HostFacts;
import org.sapwood.io.Json;
import org.sapwood.io.RunFolder;
import org.sapwood.io.UserException;
import org.sapwood.nn.AutoencoderFolder;
import org.sapwood.nn.ModelFolder;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.privacy.accounting.PldAccountant;
import org.sapwood.privacy.aggregation.GradientGrid;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.tensor.BackendChoice;

/**
 * A training run of one method from a public model on sensitive images, from calibration to the last checkpoint; also
 * what {@code resume} continues.
 */
public final class FineTuning {
    private static final String COMMAND = "train";
    private static final String SELECTION_FILE = "selection.json";

    private final TrainOptions options;
    private final RunFolder folder;
    private final BackendChoice backend;
    private final int threads;
    private final ProgressListener progress;
    private final TrainingImages images;
    private final UNet model;

    private FineTuning(
            TrainOptions options,
            RunFolder folder,
            TrainingImages images,
            UNet model,
            BackendChoice backend,
            int threads,
            ProgressListener progress) {
        this.options = options;
        this.folder = folder;
        this.images = images;
        this.model = model;
        this.backend = backend;
        this.threads = threads;
        this.progress = progress;
    }

    /**
     * What a finished run says of itself.
     *
     * @param folder with the checkpoint
     * @param epsilon ε by PLD of everything spent, infinite for a non-private run
     * @param delta δ
     * @param trained number of trained weights
     */
    public record Result(RunFolder folder, double epsilon, double delta, int trained) {}

    /**
     * Starts a run in a new folder and trains to the end.
     *
     * @param threads workers; changes the speed, not the result
     * @throws UserException if anything of the input does not fit; nothing is left behind then
     */
    public static Result start(
            TrainOptions options, Path out, BackendChoice backend, int threads, ProgressListener progress) {
        Optional<AutoencoderFolder> autoencoder = autoencoder(options);
        TrainingImages images = LatentImages.orPixels(options.data().open(), autoencoder, options.augmentation());
        UNet model = publicModel(options, images);
        if (options.method().isPrivate()) {
            GradientEngine.requireIndependentSamples(backend);
        }
        PrivateQueries queries = PrivateQueries.of(options, images.size(), 0);
        PrivacyPlan plan = options.method().isPrivate()
                ? PrivacyPlan.calibrate(options, model, images.size(), queries)
                : new PrivacyPlan(List.of(), Double.NaN);
        RunFolder folder = RunFolder.create(out);
        ModelFolder.writeConfig(model.config(), folder);
        autoencoder.ifPresent(a -> a.copyTo(folder.path()));
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("private", options.method().isPrivate() && options.seed().isEmpty());
        facts.put("backend", backend.name() + " (" + backend.description() + ")");
        // The ledger first: a folder with run.json can be resumed, and then the plan must be there.
        String randomness = queries.randomness().description();
        FineTuning run = new FineTuning(options, folder, images, model, backend, threads, progress);
        if (!options.method().isPrivate()) {
            RunRecord.write(folder, COMMAND, options.toJson(), facts);
            return run.measured(run::trainOpenly);
        }
        try (Ledger ledger = Ledger.create(folder.path(), plan.events(), plan.delta(), randomness)) {
            RunRecord.write(folder, COMMAND, options.toJson(), facts);
            return run.measured(() -> run.trainPrivately(queries, ledger));
        }
    }

    /**
     * Continues a run that was killed: trains for the steps that the ledger still allows.
     *
     * @throws UserException if the folder or the files it names do not fit
     */
    public static Result resume(RunFolder folder, BackendChoice backend, int threads, ProgressListener progress) {
        TrainOptions options = TrainOptions.fromJson(RunRecord.options(folder, COMMAND));
        TrainingImages images =
                LatentImages.orPixels(options.data().open(), AutoencoderFolder.in(folder), options.augmentation());
        UNet model = publicModel(options, images);
        FineTuning run = new FineTuning(options, folder, images, model, backend, threads, progress);
        if (!options.method().isPrivate()) {
            return run.measured(run::trainOpenly);
        }
        String randomness =
                PrivateQueries.of(options, images.size(), 0).randomness().description();
        try (Ledger ledger = Ledger.open(folder.path(), randomness)) {
            PrivateQueries queries = PrivateQueries.resumed(options, images.size(), ledger);
            return run.measured(() -> run.trainPrivately(queries, ledger));
        }
    }

    /**
     * How the gradients of a run are bounded, layer by layer and with what it costs, without training. Of the images only
     * the number of classes is used. Where a selection is still to be asked for, as many matrices are taken at random.
     */
    public static GradientExplanation explain(TrainOptions options, BackendChoice backend) {
        int classes = options.data().open().classCount();
        UNet model = options.fromScratch()
                ? new UNet(ReferenceModels.named(options.config(), classes + 1))
                : PublicModel.forClasses(
                        ModelFolder.find(Path.of(options.publicModel())).load().unet(), classes);
        List<String> selected = List.of();
        if (options.method().adapts()) {
            SelectionRule rule = options.selection() == SelectionRule.ALL ? SelectionRule.ALL : SelectionRule.RANDOM;
            selected = rule.choose(options.candidates().matrices(model), new double[0], options.selectFraction(), 0);
        }
        TrainedWeights.prepare(options, model, selected, 0);
        return GradientExplanation.of(model, options.draws(), options.microBatch(), backend);
    }

    /** The autoencoder whose latents the public model works on, if it is no model of pixels. */
    private static Optional<AutoencoderFolder> autoencoder(TrainOptions options) {
        Optional<AutoencoderFolder> found = options.fromScratch()
                ? Optional.empty()
                : AutoencoderFolder.beside(ModelFolder.find(Path.of(options.publicModel())));
        if (options.method() == Method.DP_LDM && found.isEmpty()) {
            throw new UserException(
                    "--method dp-ldm needs a model of latents, and there is no autoencoder (vae/) beside "
                            + options.publicModel() + "; make one with: sapwood pretrain --autoencoder");
        }
        return found;
    }

    private static UNet publicModel(TrainOptions options, TrainingImages images) {
        if (options.method().isPrivate() && options.batch() > images.size()) {
            throw new UserException("--batch must be at most the number of training images, got " + options.batch());
        }
        if (options.fromScratch()) {
            UNetConfig config = ReferenceModels.named(options.config(), images.classCount() + 1);
            PublicModel.requireFit("--config " + options.config(), config, images);
            UNet model = new UNet(config);
            model.initialize(RandomSource.XO_SHI_RO_256_PP.create(drawSeed(options)));
            return model;
        }
        UNet source = ModelFolder.find(Path.of(options.publicModel())).load().unet();
        PublicModel.requireFit("the model " + options.publicModel(), source.config(), images);
        return PublicModel.forClasses(source, images.classCount());
    }

    /** Runs the training and records what it took. */
    private Result measured(Supplier<Result> training) {
        long started = System.nanoTime();
        images.prepare(backend, threads);
        Result result = training.get();
        Map<String, Object> metrics = new LinkedHashMap<>();
        metrics.put("method", options.method().text());
        metrics.put("trained_weights", result.trained());
        metrics.put("seconds", (System.nanoTime() - started) * 1e-9);
        HostFacts.peakResidentMib().ifPresent(mib -> metrics.put("peak_rss_mib", mib));
        metrics.put("threads", threads);
        RunRecord.putMetrics(folder, "training", metrics);
        return result;
    }

    private Result trainOpenly() {
        Map<String, Object> noGuarantee = new LinkedHashMap<>();
        noGuarantee.put("guarantee", "none: non-private run, an upper bound that must not be released");
        noGuarantee.put("epsilon", Map.of("pld", Double.POSITIVE_INFINITY, "rdp", Double.POSITIVE_INFINITY));
        noGuarantee.put("events", List.of());
        folder.writeJson(folder.privacyJson(), noGuarantee);
        TrainedWeights.choose(options, model);
        PublicTrainer.Options how = new PublicTrainer.Options(
                options.steps(),
                options.batch(),
                options.learningRate(),
                options.labelLearningRate() / options.learningRate(),
                options.warmUpSteps(),
                options.emaDecay(),
                options.labelDropout(),
                options.augmentation(),
                schedule(),
                timesteps(),
                options.microBatch(),
                threads,
                drawSeed());
        new PublicTrainer(how, model, images, backend, folder).run(progress);
        int trained = model.parameters().trainable().size();
        return new Result(folder, Double.POSITIVE_INFINITY, Double.NaN, trained);
    }

    private Result trainPrivately(PrivateQueries queries, Ledger ledger) {
        List<String> selected = options.method().adapts() ? selection(ledger, queries) : List.of();
        int labelScale = labelScale(selected);
        ParameterVector parameters = TrainedWeights.prepare(options, model, selected, drawSeed());
        train(parameters, labelScale, ledger, queries);
        double epsilon = ledger.spentEpsilon(new PldAccountant());
        return new Result(folder, epsilon, ledger.delta(), parameters.size());
    }

    /**
     * Frees the memory of an engine that has done its work before the next takes its own: the collector would rather let the
     * heap grow by as much again.
     */
    private static void collectGarbage() {
        System.gc();
    }

    /** Of a copy, whose adapters begin the same way every time: a resumed run must come to the same factor. */
    private int labelScale(List<String> selected) {
        return options.labelGradientScale().orElseGet(() -> {
            if (options.fromScratch()) {
                return LabelGradientScale.FROM_SCRATCH;
            }
            UNet copy = PublicModel.forClasses(model, images.classCount());
            int measured = LabelGradientScale.measure(
                    copy,
                    TrainedWeights.prepare(options, copy, selected, 0),
                    !(images instanceof LatentImages),
                    schedule(),
                    timesteps(),
                    options.draws(),
                    options.microBatch(),
                    backend,
                    threads);
            collectGarbage();
            return measured;
        });
    }

    private long drawSeed() {
        return drawSeed(options);
    }

    /** Seed of what the guarantee does not rest on: initial weights, timesteps, diffusion noise. */
    private static long drawSeed(TrainOptions options) {
        return options.seed().orElseGet(() -> new SecureRandom().nextLong());
    }

    private List<String> selection(Ledger ledger, PrivateQueries queries) {
        Path file = folder.path().resolve(SELECTION_FILE);
        if (Files.exists(file)) {
            return recordedSelection(file);
        }
        List<String> candidates = options.candidates().matrices(model);
        double[] scores = {};
        SelectionRule rule = options.selection();
        if (rule.queries()) {
            if (ledger.remaining(SaliencySelection.EVENT) > 0) {
                scores = new SaliencySelection(model, candidates, options)
                        .ask(
                                queries.selection(),
                                draws(),
                                options.selectionDraws(),
                                backend,
                                threads,
                                options.microBatch(),
                                ledger,
                                queries.randomness());
                collectGarbage();
            } else {
                // Killed between paying and writing the answer down: the budget does not allow asking again.
                rule = SelectionRule.RANDOM;
            }
        }
        List<String> selected = rule.choose(candidates, scores, options.selectFraction(), drawSeed());
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("rule", rule.name());
        record.put("candidates", candidates);
        record.put("noisy_scores", scores);
        record.put("selected", selected);
        folder.writeJson(file, record);
        return selected;
    }

    private static List<String> recordedSelection(Path file) {
        if (Json.readObject(file).get("selected") instanceof List<?> names) {
            return names.stream().map(Object::toString).toList();
        }
        throw new UserException(file + ": field selected must be a list of matrix names");
    }

    private void train(ParameterVector parameters, int labelScale, Ledger ledger, PrivateQueries queries) {
        Map<String, String> metadata = Map.of(
                ModelFolder.NOISE_SCHEDULE,
                options.noiseSchedule(),
                ModelFolder.LORA_SCALE,
                Double.toString(options.loraScale()));
        TrainingState state = new TrainingState(model, parameters, options.emaDecay(), metadata);
        state.scaleLabelRate(options.labelLearningRate() / options.learningRate());
        state.restore(folder);
        state.skipTo(ledger.spent(PrivateTrainer.EVENT));
        try (GradientEngine engine = new GradientEngine(
                backend,
                threads,
                model,
                parameters,
                GradientEngine.Rows.PER_EXAMPLE,
                options.microBatch(),
                options.draws(),
                model.config().classes() > 0)) {
            GradientGrid grid = new GradientGrid(
                    PrivacyPlan.clipping(options, parameters.parameters().size()), parameters.size());
            PrivateGradientSum sum = options.clipping() == TrainOptions.Clipping.LAYER_WISE
                    ? PrivateGradientSum.byParameter(grid, parameters, labelScale, engine)
                    : PrivateGradientSum.flat(grid, parameters, labelScale, engine);
            sum.prepare(state);
            ExpectedBatchSize batch = new ExpectedBatchSize(options.batch());
            new PrivateTrainer(engine, draws(), sum, queries.training(), batch, queries.randomness(), ledger)
                    .run(state, options.learningRate(), options.warmUpSteps(), folder, progress);
            state.finish();
        }
    }

    private DenoisingDraws draws() {
        return new DenoisingDraws(
                images,
                schedule(),
                timesteps(),
                options.augmentation(),
                options.timestepsPerImage(),
                options.labelDropout(),
                images.classCount(),
                drawSeed(),
                threads);
    }

    private NoiseSchedule schedule() {
        return NoiseSchedule.named(options.noiseSchedule());
    }

    private TimestepSampler timesteps() {
        int steps = schedule().steps();
        return options.timesteps().isEmpty()
                ? TimestepSampler.uniform(steps)
                : TimestepSampler.parse(options.timesteps(), steps);
    }
}
