package org.sapwood.report;

import java.util.List;
import java.util.Map;

/**
 * What a run may claim. Anything that a private run must have and this one lacks, from the kind of randomness to a
 * finite ε, makes it a run that is not private: the page must never promise more than the ledger.
 *
 * @param kind which of the cases
 * @param epsilon ε by PLD of the finished run, NaN without ledger
 * @param spent ε by PLD of what is spent, or a little more while a run trains; NaN without ledger
 * @param delta δ, NaN without ledger
 * @param finished whether every planned step is spent
 */
record Claim(Kind kind, double epsilon, double spent, double delta, boolean finished) {
    /** The cases. */
    enum Kind {
        /** A private run with cryptographic randomness and a complete ledger. */
        PRIVATE,
        /** Public images: nothing is claimed. */
        PUBLIC_DATA,
        /** The method protects nobody. */
        NO_MECHANISM,
        /** A private method whose noise can be computed from a seed. */
        SEEDED,
        /** A private method without a ledger that could be read as one. */
        NO_LEDGER
    }

    /** Reads the claim off the files. */
    static Claim of(RunFacts facts) {
        Map<String, Object> ledger = facts.privacy();
        double epsilon = Figures.number(RunFacts.map(ledger.get("epsilon")).get("pld"));
        double spent = Figures.number(RunFacts.map(ledger.get("epsilon_spent")).get("pld"));
        double delta = Figures.number(ledger.get("delta"));
        List<?> events = RunFacts.list(ledger.get("events"));
        boolean finished = !facts.training().isEmpty() && events.stream().allMatch(Claim::isSpent);
        return new Claim(kind(facts, epsilon, spent, delta, events), epsilon, spent, delta, finished);
    }

    private static Kind kind(RunFacts facts, double epsilon, double spent, double delta, List<?> events) {
        if (facts.isPublicRun()) {
            return Kind.PUBLIC_DATA;
        }
        if ("NON_PRIVATE".equals(facts.options().get("method"))) {
            return Kind.NO_MECHANISM;
        }
        String randomness = String.valueOf(facts.privacy().get("randomness"));
        if (randomness.startsWith("seeded")) {
            return Kind.SEEDED;
        }
        boolean complete = randomness.equals("secure")
                && Boolean.TRUE.equals(facts.run().get("private"))
                && "ADD_REMOVE".equals(facts.privacy().get("adjacency"))
                && !events.isEmpty()
                && epsilon > 0
                && Double.isFinite(epsilon)
                && spent >= 0
                && Double.isFinite(spent)
                && delta > 0
                && delta < 1;
        return complete ? Kind.PRIVATE : Kind.NO_LEDGER;
    }

    private static boolean isSpent(Object event) {
        Map<?, ?> fields = RunFacts.map(event);
        return Figures.number(fields.get("steps_recorded")) >= Figures.number(fields.get("steps"));
    }

    /** Whether the page must say in its title that the run is not private. */
    boolean isNotPrivate() {
        return kind != Kind.PRIVATE && kind != Kind.PUBLIC_DATA;
    }
}
