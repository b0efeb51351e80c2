package org.sapwood.synthesis;

import java.util.Map;
import org.sapwood.io.RunFolder;
import org.sapwood.privacy.accounting.RdpAccountant;
import org.sapwood.privacy.ledger.Charge;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.random.RandomSource;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.privacy.sampling.PoissonSampler;

/**
 * DP-SGD (Abadi et al. 2016) as {@code docs/privacy.md} states it: a Poisson batch, one clip per example, an exact sum,
 * noise once, division by the public expected batch size, Adam. Every step is in the ledger before its noise is drawn.
 */
final class PrivateTrainer {
    /** Name of the training event in the ledger. */
    static final String EVENT = "training";

    private static final double SECONDS_BETWEEN_REPORTS = 1;

    private final GradientEngine engine;
    private final DenoisingDraws draws;
    private final PrivateGradientSum sum;
    private final PoissonSampler sampler;
    private final ExpectedBatchSize batch;
    private final RandomSource randomness;
    private final Ledger ledger;
    private boolean amidStep;

    /**
     * @param sampler the one that the ledger's event came from
     * @param batch public expected batch size
     */
    PrivateTrainer(
            GradientEngine engine,
            DenoisingDraws draws,
            PrivateGradientSum sum,
            PoissonSampler sampler,
            ExpectedBatchSize batch,
            RandomSource randomness,
            Ledger ledger) {
        this.engine = engine;
        this.draws = draws;
        this.sum = sum;
        this.sampler = sampler;
        this.batch = batch;
        this.randomness = randomness;
        this.ledger = ledger;
    }

    /** Trains until the ledger allows no more steps. */
    void run(TrainingState state, double learningRate, int warmUpSteps, RunFolder folder, ProgressListener progress) {
        int total = ledger.spent(EVENT) + ledger.remaining(EVENT);
        CheckpointClock clock = new CheckpointClock();
        RateMeter meter = new RateMeter();
        RdpAccountant accountant = new RdpAccountant();
        long lastReport = 0;
        double epsilon = ledger.spentEpsilon(accountant);
        while (ledger.remaining(EVENT) > 0) {
            double rate = learningRate * Math.min(1, (state.step() + 1.0) / Math.max(1, warmUpSteps));
            step(state, rate);
            meter.add(batch.examples());
            clock.maybe(() -> state.save(folder));
            boolean last = ledger.remaining(EVENT) == 0;
            if (last || System.nanoTime() - lastReport > SECONDS_BETWEEN_REPORTS * 1e9) {
                lastReport = System.nanoTime();
                epsilon = ledger.spentEpsilon(accountant);
                // No rates or times: how long a step took tells how many images were sampled.
                folder.appendMetrics(
                        Map.of("step", state.step(), "epsilon_spent", epsilon, "update_norm", sum.updateNorm()));
            }
            progress.step(state.step(), total, epsilon, meter.perSecond());
        }
        clock.now(() -> state.save(folder));
    }

    /**
     * One private step.
     *
     * @throws IllegalStateException if a step before this one threw: gradients of its batch may stand in the sum, and an
     *     example of both batches would be in it twice
     */
    void step(TrainingState state, double learningRate) {
        if (amidStep) {
            throw new IllegalStateException(
                    "a step before this one failed, and the sum may hold its batch; resume the run instead");
        }
        amidStep = true;
        int[] examples = sampler.sample();
        draws.select(ledger.spent(EVENT), examples);
        engine.run(examples.length, draws, sum);
        Charge charge = ledger.charge(EVENT);
        sum.release(charge, randomness.gaussian(RandomSource.Purpose.NOISE), batch, state, learningRate);
        amidStep = false;
    }
}
