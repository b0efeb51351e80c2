package org.sapwood.privacy.accounting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class NoiseSearchTest {
    private static final double TOLERANCE = 1e-6;

    /** A falling cost, the smallest σ that meets a cost of 2, and how many evaluations may be needed from a guess of 1. */
    record Case(String name, DoubleUnaryOperator cost, double expected, int evaluations) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Case> cases() {
        return List.of(
                new Case("power", sigma -> 5 * Math.pow(sigma, -1.5), Math.pow(2.5, 1 / 1.5), 10),
                new Case("curved", sigma -> 3 / sigma + 2 / (sigma * sigma), (3 + 5) / 4.0, 11),
                new Case("steep", sigma -> 2 * Math.exp(200 * (0.9 - sigma)), 0.9, 11),
                new Case("with errors", sigma -> 4 / sigma * (1 + 1e-5 * Math.sin(1e7 * sigma)), 2, 16),
                new Case("infinite below", sigma -> sigma < 3 ? Double.POSITIVE_INFINITY : 5 / sigma, 3, 70),
                new Case("a step", sigma -> sigma < 0.05 ? 5 : 1, 0.05, 40),
                new Case("nothing above", sigma -> sigma < 7 ? 3 : 0, 7, 60),
                new Case("no number below", sigma -> sigma < 3 ? Double.NaN : 5 / sigma, 3, 70),
                new Case("far", sigma -> 1e8 / sigma, 5e7, 25));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void findsTheSmallestInFewEvaluations(Case search) {
        int[] evaluations = {0};
        double[] least = {Double.POSITIVE_INFINITY};
        double found = NoiseSearch.smallest(
                sigma -> {
                    evaluations[0]++;
                    double cost = search.cost.applyAsDouble(sigma);
                    least[0] = cost <= 2 ? Math.min(least[0], sigma) : least[0];
                    return cost;
                },
                2,
                1,
                TOLERANCE);
        assertEquals(search.expected, found, 1.1e-5 * search.expected);
        assertEquals(least[0], found, "it must be one that was seen to meet the target");
        assertTrue(evaluations[0] <= search.evaluations, evaluations[0] + " evaluations");
    }

    @Test
    void theEndsOfTheRange() {
        assertEquals(NoiseSearch.SMALLEST, NoiseSearch.smallest(sigma -> 1, 2, 1, TOLERANCE));
        assertEquals(Double.POSITIVE_INFINITY, NoiseSearch.smallest(sigma -> 3, 2, 1, TOLERANCE));
        assertEquals(NoiseSearch.LARGEST, NoiseSearch.smallest(sigma -> sigma < 1e9 ? 3 : 1, 2, 1, TOLERANCE), 1e3);
    }
}
