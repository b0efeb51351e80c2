package org.sapwood.synthesis.dpaf;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sapwood.data.ImageSet;
import org.sapwood.io.HostFacts;
import org.sapwood.io.RunFolder;
import org.sapwood.io.UserException;
import org.sapwood.nn.GanConfig;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.privacy.accounting.PldAccountant;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.accounting.RdpAccountant;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.synthesis.CheckpointClock;
import org.sapwood.synthesis.FineTuning;
import org.sapwood.synthesis.GradientEngine;
import org.sapwood.synthesis.Method;
import org.sapwood.synthesis.ProgressListener;
import org.sapwood.synthesis.RateMeter;
import org.sapwood.synthesis.RunRecord;
import org.sapwood.tensor.BackendChoice;

/**
 * A DPAF run on sensitive images, from calibration to the last checkpoint; also what {@code resume} continues. A step is
 * one noised aggregate and the rounds of post-processing that follow it; every μ steps conv2 takes one of its own.
 */
public final class Dpaf {
    private static final String COMMAND = "train";

    private final DpafOptions options;
    private final RunFolder folder;
    private final ImageSet images;
    private final DpafModel model;
    private final long seed;
    private final BackendChoice backend;
    private final int threads;
    private final ProgressListener progress;
    private final AggregateBuffer buffer = new AggregateBuffer();

    private Dpaf(
            DpafOptions options,
            RunFolder folder,
            ImageSet images,
            DpafModel model,
            long seed,
            BackendChoice backend,
            int threads,
            ProgressListener progress) {
        this.options = options;
        this.folder = folder;
        this.images = images;
        this.model = model;
        this.seed = seed;
        this.backend = backend;
        this.threads = threads;
        this.progress = progress;
    }

    /** Whether a run folder's options, from {@code run.json}, are of this method. */
    public static boolean describes(Map<String, Object> options) {
        return Method.DPAF.name().equals(options.get("method"));
    }

    /**
     * Starts a run in a new folder and trains to the end.
     *
     * @param threads workers; changes the speed, not the result
     * @throws UserException if anything of the input does not fit; nothing is left behind then
     */
    public static FineTuning.Result start(
            DpafOptions asked, Path out, BackendChoice backend, int threads, ProgressListener progress) {
        GradientEngine.requireIndependentSamples(backend);
        ImageSet images = asked.data().open();
        DpafOptions options = asked.withBatchesOf(images.size());
        GanConfig config = config(options, images);
        long seed = drawSeed(options);
        DpafModel model = new DpafModel(config, options.emaDecay(), seed);
        DpafQueries queries = DpafQueries.of(options, images.size(), 0);
        double delta = options.delta().orElseGet(() -> 1 / (images.size() * Math.log(images.size())));
        List<PrivacyEvent> plan =
                queries.calibrated(options, config, model.trainedConv2().size(), delta);
        RunFolder folder = RunFolder.create(out);
        folder.writeJson(folder.path().resolve("config.json"), config.toJson());
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("private", options.seed().isEmpty());
        facts.put("backend", backend.name() + " (" + backend.description() + ")");
        // The ledger first: a folder with run.json can be resumed, and then the plan must be there.
        try (Ledger ledger =
                Ledger.create(folder.path(), plan, delta, queries.randomness().description())) {
            RunRecord.write(folder, COMMAND, options.toJson(), facts);
            return new Dpaf(options, folder, images, model, seed, backend, threads, progress).run(queries, ledger);
        }
    }

    /**
     * Continues a run that was killed: trains for the steps that the ledger still allows.
     *
     * @throws UserException if the folder or the files it names do not fit
     */
    public static FineTuning.Result resume(
            RunFolder folder, BackendChoice backend, int threads, ProgressListener progress) {
        GradientEngine.requireIndependentSamples(backend);
        DpafOptions options = DpafOptions.fromJson(RunRecord.options(folder, COMMAND));
        ImageSet images = options.data().open();
        long seed = drawSeed(options);
        DpafModel model = new DpafModel(config(options, images), options.emaDecay(), seed);
        String randomness =
                DpafQueries.of(options, images.size(), 0).randomness().description();
        try (Ledger ledger = Ledger.open(folder.path(), randomness)) {
            DpafQueries queries = DpafQueries.resumed(options, images.size(), ledger);
            Dpaf run = new Dpaf(options, folder, images, model, seed, backend, threads, progress);
            model.restore(folder, run.buffer);
            return run.run(queries, ledger);
        }
    }

    private static GanConfig config(DpafOptions options, ImageSet images) {
        if (images.height() != images.width()) {
            throw new UserException("the GAN makes square images, the data has " + images.height() + "x"
                    + images.width() + "; use --size to convert them");
        }
        return options.config(images.height(), images.channels(), Math.max(1, images.classCount()));
    }

    /** Seed of what the guarantee does not rest on: initial weights and latent vectors. */
    private static long drawSeed(DpafOptions options) {
        return options.seed().orElseGet(() -> new SecureRandom().nextLong());
    }

    private FineTuning.Result run(DpafQueries queries, Ledger ledger) {
        long started = System.nanoTime();
        try (WorkerPool pool = new WorkerPool(threads);
                FeatureEngine engine = new FeatureEngine(model.config(), model.features(), backend, pool);
                AdversarialTrainer trainer = new AdversarialTrainer(model, options, seed, backend, pool)) {
            train(queries, ledger, engine, trainer, pool);
        }
        model.finish();
        Map<String, Object> metrics = new LinkedHashMap<>();
        metrics.put("method", Method.DPAF.text());
        metrics.put("trained_weights", model.size());
        metrics.put("seconds", (System.nanoTime() - started) * 1e-9);
        HostFacts.peakResidentMib().ifPresent(mib -> metrics.put("peak_rss_mib", mib));
        metrics.put("threads", threads);
        RunRecord.putMetrics(folder, "training", metrics);
        return new FineTuning.Result(folder, ledger.spentEpsilon(new PldAccountant()), ledger.delta(), model.size());
    }

    private void train(
            DpafQueries queries, Ledger ledger, FeatureEngine engine, AdversarialTrainer trainer, WorkerPool pool) {
        AggregateMechanism aggregates = new AggregateMechanism(
                model.config(), images, engine, queries.aggregates(), new ExpectedBatchSize(options.batch()), pool);
        Conv2Mechanism conv2 = new Conv2Mechanism(
                model.config(),
                images,
                engine,
                queries.conv2(),
                new ExpectedBatchSize(options.conv2Batch()),
                options.conv2ClipNorm(),
                pool);
        CheckpointClock clock = new CheckpointClock();
        while (true) {
            // Also what a killed run still owes of an aggregate that it had kept.
            play(trainer, ledger, clock);
            if (ledger.remaining(AggregateMechanism.EVENT) == 0) {
                break;
            }
            if (conv2Due(ledger)) {
                moveConv2(conv2, queries, ledger, engine, trainer);
            }
            buffer.add(aggregates.ask(ledger, queries.randomness()));
            // An answer is dear: it is on the disk before anything is made of it.
            clock.now(() -> save(ledger));
        }
        clock.now(() -> save(ledger));
    }

    /** The rounds that the aggregates asked for so far are good for. */
    private void play(AdversarialTrainer trainer, Ledger ledger, CheckpointClock clock) {
        int step = ledger.spent(AggregateMechanism.EVENT);
        double epsilon = ledger.spentEpsilon(new RdpAccountant());
        long due = (long) step * options.rounds();
        if (buffer.isEmpty() || model.rounds() >= due) {
            return;
        }
        RateMeter meter = new RateMeter();
        while (model.rounds() < due) {
            trainer.round(buffer);
            meter.add(options.generated());
            progress.step(model.rounds(), (long) options.steps() * options.rounds(), epsilon, meter.perSecond());
            clock.maybe(() -> save(ledger));
        }
        folder.appendMetrics(Map.of("step", step, "rounds", model.rounds(), "epsilon_spent", epsilon));
    }

    /** Whether conv2 moves before the next aggregate: after every μ of them, unless that answer is spent already. */
    private boolean conv2Due(Ledger ledger) {
        int step = ledger.spent(AggregateMechanism.EVENT);
        return options.conv2Every() > 0
                && step > 0
                && step % options.conv2Every() == 0
                && !buffer.isEmpty()
                && ledger.remaining(Conv2Mechanism.EVENT) > 0
                && ledger.spent(Conv2Mechanism.EVENT) < step / options.conv2Every();
    }

    private void save(Ledger ledger) {
        model.save(folder, ledger.spent(AggregateMechanism.EVENT), buffer);
    }

    /** One step of conv2, after which the features are others and the old aggregates of no use. */
    private void moveConv2(
            Conv2Mechanism conv2,
            DpafQueries queries,
            Ledger ledger,
            FeatureEngine engine,
            AdversarialTrainer trainer) {
        Directions directions = trainer.directions(buffer.latest());
        float[] gradient = conv2.ask(directions, ledger, queries.randomness());
        float[] generated = trainer.generatedGradient(engine, directions);
        for (int i = 0; i < gradient.length; i++) {
            gradient[i] += generated[i];
        }
        model.trainedConv2().step(gradient, options.conv2LearningRate());
        buffer.clear();
    }
}
