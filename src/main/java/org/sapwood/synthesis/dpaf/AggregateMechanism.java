package org.sapwood.synthesis.dpaf;

import org.sapwood.data.ImageSet;
import org.sapwood.nn.GanConfig;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.privacy.aggregation.BoundedSum;
import org.sapwood.privacy.aggregation.GradientGrid;
import org.sapwood.privacy.aggregation.NoisedSum;
import org.sapwood.privacy.clipping.FlatClipping;
import org.sapwood.privacy.ledger.Charge;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.random.RandomSource;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.privacy.sampling.PoissonSampler;

/**
 * The first of the two private queries: sums of normalised features by class over a Poisson batch, noised.
 *
 * <p>An image adds its f̂ to the coordinates of its own class and nothing elsewhere, and ‖f̂‖ ≤ √m·p, so the sums of all
 * classes together have L2 sensitivity √m·p. Instance normalisation gives that bound in real numbers; clipping on the
 * integer grid makes it hold for the numbers as computed.
 */
final class AggregateMechanism {
    /** Name of the event in the ledger. */
    static final String EVENT = "aggregates";

    private final GanConfig config;
    private final ImageSet images;
    private final FeatureEngine engine;
    private final PoissonSampler sampler;
    private final ExpectedBatchSize batch;
    private final WorkerPool pool;

    AggregateMechanism(
            GanConfig config,
            ImageSet images,
            FeatureEngine engine,
            PoissonSampler sampler,
            ExpectedBatchSize batch,
            WorkerPool pool) {
        this.config = config;
        this.images = images;
        this.engine = engine;
        this.sampler = sampler;
        this.batch = batch;
        this.pool = pool;
    }

    /** What the sums are made on: it clips to the bound and states the sensitivity. */
    static GradientGrid grid(GanConfig config) {
        return new GradientGrid(
                new FlatClipping(config.featureBound()), Math.multiplyExact(config.classes(), config.featureLength()));
    }

    /** Asks the query once. The ledger has recorded it before there is any noise. */
    NoisedAggregates ask(Ledger ledger, RandomSource randomness) {
        BoundedSum sum = sum(sampler.sample());
        Charge charge = ledger.charge(EVENT);
        double deviation = charge.event().noiseMultiplier() * sum.sensitivity();
        NoisedSum noised = sum.noised(charge, randomness.gaussian(RandomSource.Purpose.NOISE), pool);
        return new NoisedAggregates(noised, batch, config, deviation);
    }

    /** The exact sum over given images, private; for {@link #ask} and for tests of what enters it. */
    BoundedSum sum(int[] examples) {
        ExampleSum[] sums = ExampleSum.perWorker(grid(config), pool.workers());
        int length = config.featureLength();
        engine.features(
                examples.length,
                (i, target, offset) -> images.copyImage(examples[i], target, offset),
                (worker, i, values, offset) ->
                        sums[worker].add(values, offset, length, images.label(examples[i]) * length));
        return ExampleSum.merged(sums, pool);
    }
}
