package org.sapwood.synthesis;

import org.sapwood.io.UserException;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.random.RandomSource;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.privacy.sampling.PoissonSampler;

/**
 * The randomness that a run's guarantee rests on, and the samplers that draw from it. The samplers also make the events
 * of the ledger, so that what is accounted is what is sampled.
 *
 * @param randomness cryptographic, or seeded for a reproduction
 * @param training samples the batches
 * @param selection samples the saliency query
 */
record PrivateQueries(RandomSource randomness, PoissonSampler training, PoissonSampler selection) {
    /**
     * Queries for a run of which {@code spent} steps are recorded; a seeded run that resumes thus replays nothing.
     *
     * @param population number of sensitive images
     */
    static PrivateQueries of(TrainOptions options, int population, int spent) {
        RandomSource randomness = options.seed().isPresent()
                ? RandomSource.seeded(options.seed().getAsLong(), spent)
                : RandomSource.secure();
        double rate = new ExpectedBatchSize(options.batch()).samplingRate(population);
        return new PrivateQueries(
                randomness,
                sampler(population, rate, randomness),
                sampler(population, options.selectionRate().orElse(rate), randomness));
    }

    private static PoissonSampler sampler(int population, double rate, RandomSource randomness) {
        return new PoissonSampler(population, rate, randomness.uniform(RandomSource.Purpose.SAMPLING));
    }

    /**
     * Queries for a run that is resumed.
     *
     * @throws UserException if they would not sample exactly as the ledger has it
     */
    static PrivateQueries resumed(TrainOptions options, int population, Ledger ledger) {
        int spent = 0;
        for (PrivacyEvent event : ledger.planned()) {
            spent += ledger.spent(event.name());
        }
        PrivateQueries queries = of(options, population, spent);
        for (PrivacyEvent event : ledger.planned()) {
            PoissonSampler sampler = event.name().equals(PrivateTrainer.EVENT) ? queries.training : queries.selection;
            if (sampler.samplingRate() != event.samplingRate()) {
                throw new UserException("the ledger samples " + event.name() + " at rate " + event.samplingRate()
                        + ", but the data now gives " + sampler.samplingRate()
                        + "; has the data changed since the run began?");
            }
        }
        return queries;
    }
}
