package org.sapwood.synthesis;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.nn.UNet;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.aggregation.BoundedSum;
import org.sapwood.privacy.aggregation.EnergySaliency;
import org.sapwood.privacy.aggregation.SaliencyQuery;
import org.sapwood.privacy.aggregation.VoteSaliency;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.random.RandomSource;
import org.sapwood.privacy.sampling.PoissonSampler;
import org.sapwood.tensor.BackendChoice;

/**
 * The private query of DP-SAPF (arXiv 2605.30312): one Poisson pass over the sensitive images with the public weights,
 * which scores every candidate matrix by how much the images want to change it.
 */
final class SaliencySelection {
    /** Name of the selection event in the ledger. */
    static final String EVENT = "selection";

    private final UNet model;
    private final List<String> candidates;
    private final SaliencyQuery query;

    /**
     * @param model with the public weights and no adapters
     * @param candidates names of the candidate matrices
     */
    SaliencySelection(UNet model, List<String> candidates, TrainOptions options) {
        this.model = model;
        this.candidates = candidates;
        this.query = options.selection() == SelectionRule.VOTE
                ? new VoteSaliency(Math.min(options.votes(), candidates.size()))
                : new EnergySaliency(options.clipNorm());
    }

    /** The event that the query will be charged as, from the sampler that it will use; σ is set by calibration. */
    PrivacyEvent event(PoissonSampler sampler) {
        return sampler.event(EVENT, 0, query.newSum(candidates.size()).sensitivity(), 1);
    }

    /**
     * Asks the query.
     *
     * @param draws the sensitive images; {@code draws.select} is called
     * @param drawsPerExample draws whose mean gradient is scored
     * @return one noisy score per candidate
     */
    double[] ask(
            PoissonSampler sampler,
            DenoisingDraws draws,
            int drawsPerExample,
            BackendChoice backend,
            int threads,
            int microBatch,
            Ledger ledger,
            RandomSource randomness) {
        Set<String> names = Set.copyOf(candidates);
        model.parameters().trainOnly(names::contains);
        ParameterVector parameters = model.parameters().trainable();
        int[] positions = new int[candidates.size()];
        for (int i = 0; i < positions.length; i++) {
            positions[i] = parameters.position(
                    Objects.requireNonNull(model.parameters().find(candidates.get(i))));
        }
        List<BoundedSum> sums = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            // One per worker; a device has fewer workers than threads.
            sums.add(query.newSum(positions.length));
        }
        int[] examples = sampler.sample();
        draws.select(-1, examples);
        try (GradientEngine engine = new GradientEngine(
                backend,
                threads,
                model,
                parameters,
                GradientEngine.Rows.NORMS,
                microBatch,
                drawsPerExample,
                model.config().classes() > 0)) {
            engine.run(examples.length, draws, (worker, ops, unit, rows) -> {
                float[] norms = new float[rows.size()];
                ops.download(rows, norms, 0);
                for (int row = 0; row < rows.dim(0); row++) {
                    double[] ofExample = new double[positions.length];
                    for (int k = 0; k < positions.length; k++) {
                        ofExample[k] = norms[row * rows.dim(1) + positions[k]];
                    }
                    query.add(ofExample, sums.get(worker));
                }
            });
            BoundedSum total = sums.getFirst();
            total.merge(sums.subList(1, threads), engine.pool());
            return total.noised(
                            ledger.charge(EVENT), randomness.gaussian(RandomSource.Purpose.SELECTION), engine.pool())
                    .values();
        }
    }
}
