package org.sapwood.cli.compare;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What all runs of a comparison cost together. By basic composition (Dwork et al. 2006, also for queries that are
 * chosen after looking at earlier answers), runs with (ε_i, δ_i) on the same images are together (Σ ε_i, Σ δ_i)-private.
 * The sums are exact sums of the ledgers' decimals, shown rounded up.
 *
 * @param runs number of private runs begun
 * @param epsilon Σ ε
 * @param delta Σ δ
 * @param withoutGuarantee number of runs begun that are not private or are seeded
 */
record BudgetTotal(int runs, BigDecimal epsilon, BigDecimal delta, int withoutGuarantee) {

    /** Adds up every run that was begun: those that failed or were killed have spent, too. */
    static BudgetTotal of(List<Outcome> outcomes) {
        int runs = 0;
        int without = 0;
        BigDecimal epsilon = BigDecimal.ZERO;
        BigDecimal delta = BigDecimal.ZERO;
        for (Outcome outcome : outcomes) {
            Optional<CellResult> begun = outcome.result();
            if (begun.isEmpty()) {
                continue;
            }
            CellResult result = begun.get();
            double cost = outcome.complete() ? result.spentEpsilon() : result.plannedEpsilon();
            if (result.guarantee() == CellResult.Guarantee.PRIVATE
                    && Double.isFinite(cost)
                    && Double.isFinite(result.delta())) {
                runs++;
                epsilon = epsilon.add(BigDecimal.valueOf(cost));
                delta = delta.add(BigDecimal.valueOf(result.delta()));
            } else {
                without++;
            }
        }
        return new BudgetTotal(runs, epsilon, delta, without);
    }

    /** The statement beneath the table. */
    List<String> text() {
        List<String> lines = new ArrayList<>();
        if (runs > 0) {
            lines.add(String.format(
                    "**What it cost together.** The %s on the same images %s together (ε = %s, δ = %s)-private by"
                            + " basic composition: Σ ε and Σ δ over all runs that were begun, unfinished ones with all"
                            + " that they planned. Whoever sees more than one of these models or sets has that guarantee"
                            + " and not the one of a single line.",
                    runs == 1 ? "one private run" : runs + " private runs",
                    runs == 1 ? "is" : "are",
                    Numbers.cost(epsilon),
                    Numbers.cost(delta)));
        }
        if (withoutGuarantee > 0) {
            lines.add(String.format(
                    "**%s no guarantee** (not private, or seeded) and %s in no sum: nothing that comes from %s may be"
                            + " released.",
                    withoutGuarantee == 1 ? "One run has" : withoutGuarantee + " runs have",
                    withoutGuarantee == 1 ? "is" : "are",
                    withoutGuarantee == 1 ? "it" : "them"));
        }
        lines.add("**Choosing is not covered.** Accuracy, Fréchet distance, precision and recall are measured on real"
                + " images without noise. Releasing them, or releasing the run that does best by them, tells"
                + " something of those images that no ε above accounts for.");
        return lines;
    }
}
