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
 * The second private query: the gradient of conv2 on real images, by DP-SGD on a Poisson batch of its own. The direction
 * v in which each image's features are wanted to move comes from the upper discriminator at noised aggregates; the
 * gradient of an image, (∂f̂/∂θ₂)ᵀv of its class, is clipped to C₂.
 */
final class Conv2Mechanism {
    /** Name of the event in the ledger. */
    static final String EVENT = "conv2";

    private final GanConfig config;
    private final ImageSet images;
    private final FeatureEngine engine;
    private final PoissonSampler sampler;
    private final ExpectedBatchSize batch;
    private final GradientGrid grid;
    private final WorkerPool pool;

    Conv2Mechanism(
            GanConfig config,
            ImageSet images,
            FeatureEngine engine,
            PoissonSampler sampler,
            ExpectedBatchSize batch,
            double clipNorm,
            WorkerPool pool) {
        this.config = config;
        this.images = images;
        this.engine = engine;
        this.sampler = sampler;
        this.batch = batch;
        this.grid = grid(clipNorm, engine.conv2().size());
        this.pool = pool;
    }

    /** What gradients are clipped to C₂ and summed on. */
    static GradientGrid grid(double clipNorm, int weights) {
        return new GradientGrid(new FlatClipping(clipNorm), weights);
    }

    /**
     * Asks the query once.
     *
     * @param directions v of every class
     * @return the noised mean over the public batch size, one number per weight of conv2
     */
    float[] ask(Directions directions, Ledger ledger, RandomSource randomness) {
        BoundedSum sum = sum(sampler.sample(), directions);
        Charge charge = ledger.charge(EVENT);
        NoisedSum noised = sum.noised(charge, randomness.gaussian(RandomSource.Purpose.NOISE), pool);
        float[] mean = new float[engine.conv2().size()];
        noised.meanOver(batch, mean);
        return mean;
    }

    /** The exact sum over given images, private; for {@link #ask} and for tests of what enters it. */
    BoundedSum sum(int[] examples, Directions directions) {
        ExampleSum[] sums = ExampleSum.perWorker(grid, pool.workers());
        int length = config.featureLength();
        engine.conv2Gradients(
                examples.length,
                (i, target, offset) -> images.copyImage(examples[i], target, offset),
                (i, target, offset) ->
                        System.arraycopy(directions.real(), images.label(examples[i]) * length, target, offset, length),
                (worker, i, values, offset) ->
                        sums[worker].add(values, offset, engine.conv2().size(), 0));
        return ExampleSum.merged(sums, pool);
    }
}
