package org.sapwood.synthesis;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.data.ImageSet;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.TimestepSampler;
import org.sapwood.io.HostFacts;
import org.sapwood.io.Json;
import org.sapwood.io.RunFolder;
import org.sapwood.io.UserException;
import org.sapwood.nn.ModelFolder;
import org.sapwood.nn.UNet;
import org.sapwood.privacy.accounting.Calibration;
import org.sapwood.privacy.accounting.PldAccountant;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.aggregation.GradientGrid;
import org.sapwood.privacy.clipping.AutomaticClipping;
import org.sapwood.privacy.clipping.ClippingRule;
import org.sapwood.privacy.clipping.FlatClipping;
import org.sapwood.privacy.clipping.LayerWiseClipping;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.random.RandomSource;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.privacy.sampling.PoissonSampler;
import org.sapwood.tensor.BackendChoice;

/**
 * A training run of one method from a public model on sensitive images, from calibration to the last checkpoint; also
 * what {@code resume} continues.
 */
public final class FineTuning {
    private static final String COMMAND = "train";
    private static final String SELECTION_FILE = "selection.json";

    /** γ of automatic clipping, relative to C, as in arXiv 2206.07136. */
    private static final double AUTOMATIC_GAMMA = 0.01;

    private final TrainOptions options;
    private final RunFolder folder;
    private final BackendChoice backend;
    private final int threads;
    private final ProgressListener progress;
    private final ImageSet images;
    private final UNet model;

    private FineTuning(
            TrainOptions options,
            RunFolder folder,
            ImageSet images,
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
     * @throws UserException if anything of the input does not fit; nothing is then left behind but an empty folder
     */
    public static Result start(
            TrainOptions options, Path out, BackendChoice backend, int threads, ProgressListener progress) {
        ImageSet images = options.data().open();
        UNet model = publicModel(options, images);
        RunFolder folder = RunFolder.create(out);
        FineTuning run = new FineTuning(options, folder, images, model, backend, threads, progress);
        ModelFolder.writeConfig(model.config(), folder);
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("private", options.method().isPrivate() && options.seed().isEmpty());
        facts.put("backend", backend.name() + " (" + backend.description() + ")");
        RunRecord.write(folder, COMMAND, options.toJson(), facts);
        return run.train();
    }

    /**
     * Continues a run that was killed: trains for the steps that the ledger still allows.
     *
     * @throws UserException if the folder or the files it names do not fit
     */
    public static Result resume(RunFolder folder, BackendChoice backend, int threads, ProgressListener progress) {
        TrainOptions options = TrainOptions.fromJson(RunRecord.options(folder, COMMAND));
        ImageSet images = options.data().open();
        UNet model = publicModel(options, images);
        return new FineTuning(options, folder, images, model, backend, threads, progress).train();
    }

    private static UNet publicModel(TrainOptions options, ImageSet images) {
        UNet source = ModelFolder.find(Path.of(options.publicModel())).load().unet();
        PublicModel.requireFit("the model " + options.publicModel(), source.config(), images);
        if (options.method().isPrivate() && options.batch() > images.size()) {
            throw new UserException("--batch must be at most the number of training images, got " + options.batch());
        }
        return PublicModel.forClasses(source, images.classCount());
    }

    private Result train() {
        long started = System.nanoTime();
        Result result = options.method().isPrivate() ? trainPrivately() : trainOpenly();
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
        model.parameters().trainOnly(name -> true);
        PublicTrainer.Options how = new PublicTrainer.Options(
                options.steps(),
                options.batch(),
                options.learningRate(),
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

    /** The randomness that the guarantee rests on, and the samplers that draw from it. */
    private final class Queries {
        final RandomSource randomness;
        final PoissonSampler training;
        final PoissonSampler selection;

        /** @param spent steps recorded so far, so that a seeded run that resumes replays nothing */
        Queries(int spent) {
            randomness = options.seed().isPresent()
                    ? RandomSource.seeded(options.seed().getAsLong(), spent)
                    : RandomSource.secure();
            double rate = new ExpectedBatchSize(options.batch()).samplingRate(images.size());
            training = sampler(rate);
            selection = sampler(options.selectionRate().orElse(rate));
        }

        private PoissonSampler sampler(double rate) {
            return new PoissonSampler(images.size(), rate, randomness.uniform(RandomSource.Purpose.SAMPLING));
        }
    }

    private Result trainPrivately() {
        List<String> candidates = options.candidates().matrices(model);
        Queries fresh = new Queries(0);
        boolean resumed = Files.exists(folder.privacyJson());
        try (Ledger ledger = resumed
                ? Ledger.open(folder.path(), fresh.randomness.description())
                : Ledger.create(folder.path(), plan(fresh, candidates), delta(), fresh.randomness.description())) {
            Queries queries = resumed ? continued(ledger) : fresh;
            ParameterVector parameters = adapt(selection(candidates, ledger, queries));
            train(parameters, ledger, queries);
            double epsilon = ledger.spentEpsilon(new PldAccountant());
            return new Result(folder, epsilon, ledger.delta(), parameters.size());
        }
    }

    /** Queries for a resumed run, which must sample exactly as the ledger has it. */
    private Queries continued(Ledger ledger) {
        int spent = 0;
        for (PrivacyEvent event : ledger.planned()) {
            spent += ledger.spent(event.name());
        }
        Queries queries = new Queries(spent);
        for (PrivacyEvent event : ledger.planned()) {
            double rate = event.name().equals(PrivateTrainer.EVENT)
                    ? queries.training.samplingRate()
                    : queries.selection.samplingRate();
            if (rate != event.samplingRate()) {
                throw new UserException(folder.privacyJson() + ": event " + event.name() + " samples at rate "
                        + event.samplingRate() + ", but the data now gives " + rate
                        + "; has the data changed since the run began?");
            }
        }
        return queries;
    }

    /** Seed of what the guarantee does not rest on: initial adapters, timesteps, diffusion noise. */
    private long drawSeed() {
        return options.seed().orElseGet(() -> new SecureRandom().nextLong());
    }

    private double delta() {
        double n = images.size();
        return options.delta().orElseGet(() -> 1 / (n * Math.log(n)));
    }

    /** The events of the whole run, with the noise that makes their composition meet (ε, δ). */
    private List<PrivacyEvent> plan(Queries queries, List<String> candidates) {
        int adapters = options.selection() == SelectionRule.ALL
                ? candidates.size()
                : SelectionRule.count(candidates.size(), options.selectFraction());
        int parameters = 2 * adapters + (trainsLabels() ? 1 : 0);
        PrivacyEvent training = queries.training.event(
                PrivateTrainer.EVENT, 0, clipping(parameters).sensitivity(), options.steps());
        Calibration calibration = new Calibration(new PldAccountant(), options.epsilon(), delta());
        List<PrivacyEvent> events = new ArrayList<>();
        try {
            if (options.selection().queries()) {
                PrivacyEvent query = new SaliencySelection(model, candidates, options).event(queries.selection);
                double noise = options.selectionNoise()
                        .orElseGet(() -> calibration.selectionNoiseMultiplier(query, training, List.of()));
                events.add(query.withNoiseMultiplier(noise));
            }
            events.add(training.withNoiseMultiplier(calibration.noiseMultiplier(training, events)));
            return events;
        } catch (IllegalArgumentException e) {
            throw new UserException("--epsilon " + options.epsilon() + " cannot be met: " + e.getMessage(), e);
        }
    }

    private boolean trainsLabels() {
        return options.trainLabelEmbedder() && model.config().classes() > 0;
    }

    private List<String> selection(List<String> candidates, Ledger ledger, Queries queries) {
        Path file = folder.path().resolve(SELECTION_FILE);
        if (Files.exists(file)) {
            return recordedSelection(file);
        }
        double[] scores = {};
        SelectionRule rule = options.selection();
        if (rule.queries()) {
            if (ledger.remaining(SaliencySelection.EVENT) > 0) {
                scores = new SaliencySelection(model, candidates, options)
                        .ask(
                                queries.selection,
                                draws(),
                                options.selectionDraws(),
                                backend,
                                threads,
                                options.microBatch(),
                                ledger,
                                queries.randomness);
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

    /** Attaches adapters to the selected matrices and freezes everything else but, if asked for, the label embedder. */
    private ParameterVector adapt(List<String> selected) {
        UniformRandomProvider rng = org.apache.commons.rng.simple.RandomSource.XO_SHI_RO_256_PP.create(drawSeed());
        Set<String> before = Set.copyOf(
                model.parameters().all().stream().map(Parameter::name).toList());
        for (String matrix : selected) {
            Objects.requireNonNull(model.matrices().get(matrix), matrix)
                    .adapt(model.parameters(), options.loraRank(), (float) options.loraScale(), rng);
        }
        boolean labels = trainsLabels();
        model.parameters().trainOnly(name -> !before.contains(name) || (labels && PublicModel.isLabelEmbedder(name)));
        return model.parameters().trainable();
    }

    private void train(ParameterVector parameters, Ledger ledger, Queries queries) {
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
                options.augmentations(),
                model.config().classes() > 0)) {
            GradientGrid grid =
                    new GradientGrid(clipping(parameters.parameters().size()), parameters.size());
            int rows = engine.rowsPerMicroBatch();
            PrivateGradientSum sum = options.clipping() == TrainOptions.Clipping.LAYER_WISE
                    ? PrivateGradientSum.byParameter(grid, parameters, threads, rows)
                    : PrivateGradientSum.flat(grid, parameters, threads, rows);
            ExpectedBatchSize batch = new ExpectedBatchSize(options.batch());
            new PrivateTrainer(engine, draws(), sum, parameters, queries.training, batch, queries.randomness, ledger)
                    .run(state, options.learningRate(), options.warmUpSteps(), folder, progress);
        }
        state.useAveraged();
    }

    private ClippingRule clipping(int parameters) {
        double clipNorm = options.clipNorm();
        return switch (options.clipping()) {
            case FLAT -> new FlatClipping(clipNorm);
            case LAYER_WISE -> LayerWiseClipping.equal(clipNorm, parameters);
            case AUTOMATIC -> new AutomaticClipping(clipNorm, AUTOMATIC_GAMMA * clipNorm);
        };
    }

    private DenoisingDraws draws() {
        return new DenoisingDraws(
                images,
                schedule(),
                timesteps(),
                options.augmentation(),
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
