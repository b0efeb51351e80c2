package org.sapwood.synthesis.dpaf;

import java.util.ArrayList;
import java.util.List;
import org.sapwood.io.UserException;
import org.sapwood.nn.GanConfig;
import org.sapwood.privacy.accounting.Calibration;
import org.sapwood.privacy.accounting.PldAccountant;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.random.RandomSource;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.privacy.sampling.PoissonSampler;

/**
 * The randomness that a run's guarantee rests on, and the two samplers that draw from it. They also make the events of
 * the ledger, so that what is accounted is what is sampled.
 *
 * @param randomness cryptographic, or seeded for a reproduction
 * @param aggregates samples the batches of aggregates
 * @param conv2 samples the batches of conv2's gradients
 */
record DpafQueries(RandomSource randomness, PoissonSampler aggregates, PoissonSampler conv2) {
    /**
     * Queries for a run of which {@code spent} steps are recorded; a seeded run that resumes thus replays nothing.
     *
     * @param population number of sensitive images
     * @throws UserException if a batch is larger than that
     */
    static DpafQueries of(DpafOptions options, int population, int spent) {
        requireAtMost(population, "--batch", options.batch());
        if (options.conv2Steps() > 0) {
            requireAtMost(
                    population,
                    "the batch of conv2 (--conv2-batch, or --conv2-every times --batch)",
                    options.conv2Batch());
        }
        RandomSource randomness = options.seed().isPresent()
                ? RandomSource.seeded(options.seed().getAsLong(), spent)
                : RandomSource.secure();
        return new DpafQueries(
                randomness,
                sampler(population, options.batch(), randomness),
                sampler(population, Math.min(population, options.conv2Batch()), randomness));
    }

    private static void requireAtMost(int population, String what, int batch) {
        if (batch > population) {
            throw new UserException(what + " must be at most the number of training images, got " + batch);
        }
    }

    private static PoissonSampler sampler(int population, int batch, RandomSource randomness) {
        return PoissonSampler.of(
                population, new ExpectedBatchSize(batch), randomness.uniform(RandomSource.Purpose.SAMPLING));
    }

    /**
     * Queries for a run that is resumed.
     *
     * @throws UserException if they would not sample exactly as the ledger has it
     */
    static DpafQueries resumed(DpafOptions options, int population, Ledger ledger) {
        int spent = 0;
        for (PrivacyEvent event : ledger.planned()) {
            spent += ledger.spent(event.name());
        }
        DpafQueries queries = of(options, population, spent);
        for (PrivacyEvent event : ledger.planned()) {
            PoissonSampler sampler = event.name().equals(AggregateMechanism.EVENT) ? queries.aggregates : queries.conv2;
            if (sampler.samplingRate() != event.samplingRate()) {
                throw new UserException("the ledger samples " + event.name() + " at rate " + event.samplingRate()
                        + ", but the data now gives " + sampler.samplingRate()
                        + "; has the data changed since the run began?");
            }
        }
        return queries;
    }

    /**
     * What the run will ask and how noisy each answer must be for the whole to meet (ε, δ): conv2's noise is such that
     * its steps alone would cost their share of ε, the aggregates' such that everything together costs ε.
     *
     * @param conv2Weights number of weights of conv2
     * @throws UserException if the target cannot be met
     */
    List<PrivacyEvent> calibrated(DpafOptions options, GanConfig config, int conv2Weights, double delta) {
        PldAccountant accountant = new PldAccountant();
        List<PrivacyEvent> events = new ArrayList<>();
        try {
            if (options.conv2Steps() > 0) {
                double sensitivity = Conv2Mechanism.grid(options.conv2ClipNorm(), conv2Weights)
                        .sensitivity();
                PrivacyEvent event = conv2.event(Conv2Mechanism.EVENT, 0, sensitivity, options.conv2Steps());
                double share = options.conv2Share() * options.epsilon();
                events.add(event.withNoiseMultiplier(
                        new Calibration(accountant, share, delta).noiseMultiplier(event, List.of())));
            }
            PrivacyEvent event = aggregates.event(
                    AggregateMechanism.EVENT, 0, AggregateMechanism.grid(config).sensitivity(), options.steps());
            double noise = new Calibration(accountant, options.epsilon(), delta).noiseMultiplier(event, events);
            events.addFirst(event.withNoiseMultiplier(noise));
            return List.copyOf(events);
        } catch (IllegalArgumentException e) {
            throw new UserException("--epsilon " + options.epsilon() + " cannot be met: " + e.getMessage(), e);
        }
    }
}
