package org.sapwood.synthesis;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.data.ImageSet;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.TimestepSampler;
import org.sapwood.nn.Adaptable;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.nn.Weights;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.aggregation.GradientGrid;
import org.sapwood.privacy.clipping.FlatClipping;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.privacy.sampling.PoissonSampler;
import org.sapwood.tensor.BackendChoice;

/**
 * One training step on random images, to be repeated and timed: the very steps that the trainers run, with their draws,
 * optimizer and averaged weights, and for a private one with clip, exact sum and noise. Only files are left out.
 */
public final class StepWorkload implements AutoCloseable {
    /** What a step does. */
    public enum Mode {
        /** Predicts the noise of a batch. */
        FORWARD(false, false),
        /** Trains all weights. */
        NON_PRIVATE(false, false),
        /** Trains all weights privately. */
        PRIVATE(true, false),
        /** Trains adapters of rank 4 on all attention projections. */
        LORA_NON_PRIVATE(false, true),
        /** The same privately. */
        LORA_PRIVATE(true, true);

        private final boolean isPrivate;
        private final boolean lora;

        Mode(boolean isPrivate, boolean lora) {
            this.isPrivate = isPrivate;
            this.lora = lora;
        }
    }

    private static final int LORA_RANK = 4;
    private static final double CLIP_NORM = 1;
    private static final double NOISE_MULTIPLIER = 1;
    private static final double DELTA = 1e-5;
    private static final double LEARNING_RATE = 1e-4;
    private static final double EMA_DECAY = 0.99;
    private static final long SEED = 1;

    private final Runnable step;
    private final Runnable synchronize;
    private final Runnable release;
    private final boolean returnsEarly;

    /**
     * Builds model and data; the first step also records the tapes.
     *
     * @param config of the model, class-conditional
     * @param batch images per step, ≥ 1
     * @param microBatch images per worker at a time, or 0 for what suits the backend
     * @param threads workers, ≥ 1
     */
    public StepWorkload(UNetConfig config, Mode mode, int batch, int microBatch, BackendChoice backend, int threads) {
        UNet model = new UNet(config);
        UniformRandomProvider rng = RandomSource.XO_SHI_RO_256_PP.create(SEED);
        model.initialize(rng);
        TrainingImages images = new PixelImages(noise(config, batch, rng));
        NoiseSchedule schedule = NoiseSchedule.linear(1000);
        DenoisingDraws draws = new DenoisingDraws(
                images,
                schedule,
                TimestepSampler.uniform(schedule.steps()),
                Augmentation.NONE,
                1,
                0,
                config.classes() - 1,
                SEED,
                threads);
        if (mode == Mode.FORWARD) {
            ForwardPass forward = new ForwardPass(model, batch, microBatch, backend, threads);
            step = forward::run;
            synchronize = forward::synchronize;
            returnsEarly = forward.isOnDevice();
            release = forward::close;
            return;
        }
        if (mode.lora) {
            for (String matrix : CandidateSet.ATTENTION.matrices(model)) {
                Adaptable adaptable = model.matrices().get(matrix);
                if (adaptable != null) {
                    adaptable.adapt(model.parameters(), LORA_RANK, 1, rng);
                }
            }
        }
        model.parameters().trainOnly(name -> !mode.lora || Weights.isLoraFactor(name));
        ParameterVector parameters = model.parameters().trainable();
        GradientEngine engine = new GradientEngine(
                backend,
                threads,
                model,
                parameters,
                mode.isPrivate ? GradientEngine.Rows.PER_EXAMPLE : GradientEngine.Rows.SUMMED,
                microBatch,
                1,
                config.classes() > 0);
        TrainingState state = new TrainingState(model, parameters, EMA_DECAY, Map.of());
        synchronize = engine::synchronize;
        returnsEarly = engine.isOnDevice();
        release = engine::close;
        step = mode.isPrivate
                ? privateStep(engine, draws, parameters, state, batch)
                : ordinaryStep(engine, draws, parameters, state, batch);
    }

    /** Runs one step; on a device it may return before the step is done, as in training. */
    public void run() {
        step.run();
    }

    /** Whether a step may return before it is done. */
    public boolean returnsEarly() {
        return returnsEarly;
    }

    /** Waits until all steps so far are done. */
    public void synchronize() {
        synchronize.run();
    }

    @Override
    public void close() {
        release.run();
    }

    private static Runnable ordinaryStep(
            GradientEngine engine, DenoisingDraws draws, ParameterVector parameters, TrainingState state, int batch) {
        PublicGradientSum sum = PublicGradientSum.of(engine, batch, parameters.size());
        sum.prepare(state);
        int[] all = new int[batch];
        for (int i = 0; i < batch; i++) {
            all[i] = i;
        }
        return () -> {
            draws.select(state.step(), all);
            engine.run(batch, draws, sum);
            sum.train(state, 1f / batch, LEARNING_RATE);
        };
    }

    /** Samples every image at every step, so that each step is as large as asked for. */
    private static Runnable privateStep(
            GradientEngine engine, DenoisingDraws draws, ParameterVector parameters, TrainingState state, int batch) {
        org.sapwood.privacy.random.RandomSource randomness = org.sapwood.privacy.random.RandomSource.seeded(SEED, 0);
        ExpectedBatchSize expected = new ExpectedBatchSize(batch);
        PoissonSampler sampler = PoissonSampler.of(
                batch, expected, randomness.uniform(org.sapwood.privacy.random.RandomSource.Purpose.SAMPLING));
        GradientGrid grid = new GradientGrid(new FlatClipping(CLIP_NORM), parameters.size());
        PrivacyEvent event = sampler.event(PrivateTrainer.EVENT, NOISE_MULTIPLIER, CLIP_NORM, Integer.MAX_VALUE);
        Ledger ledger = Ledger.inMemory(List.of(event), DELTA, randomness.description());
        PrivateGradientSum sum = PrivateGradientSum.flat(grid, parameters, 1, engine);
        sum.prepare(state);
        PrivateTrainer trainer = new PrivateTrainer(engine, draws, sum, sampler, expected, randomness, ledger);
        return () -> trainer.step(state, LEARNING_RATE);
    }

    private static ImageSet noise(UNetConfig config, int count, UniformRandomProvider rng) {
        int size = config.sampleSize();
        byte[] pixels = new byte[Math.multiplyExact(count, size * size * config.inChannels())];
        rng.nextBytes(pixels);
        int classes = Math.max(1, config.classes() - 1);
        int[] labels = new int[count];
        for (int i = 0; i < count; i++) {
            labels[i] = i % classes;
        }
        List<String> names =
                IntStream.range(0, classes).mapToObj(String::valueOf).toList();
        return ImageSet.of(size, size, config.inChannels(), pixels, labels, names);
    }
}
