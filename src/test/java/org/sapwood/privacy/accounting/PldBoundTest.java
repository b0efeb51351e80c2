package org.sapwood.privacy.accounting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The discretised composition against curves that are known exactly: never below, and close above. */
class PldBoundTest {

    private final PldAccountant pld = new PldAccountant();
    private final RdpAccountant rdp = new RdpAccountant();

    private static PrivacyEvent event(double q, double sigma, int steps) {
        return new PrivacyEvent("e", q, sigma, 1, steps);
    }

    /** One subsampled step removes to δ(ε) = q·δ_Gauss(log(1 + (e^ε − 1)/q)), and that direction is the larger. */
    @ParameterizedTest
    @CsvSource({
        "0.01, 1, 1e-5",
        "0.3, 0.5, 1e-5",
        "0.3, 0.5, 0.05",
        "1e-4, 0.4, 1e-8",
        "0.9, 3, 1e-12",
        "0.02, 20, 1e-6",
        "0.5, 0.05, 1e-5"
    })
    void oneStepAgainstTheClosedForm(double q, double sigma, double delta) {
        double truth = Math.log1p(q * Math.expm1(GaussianMechanism.epsilon(1 / sigma, delta / q)));
        double bound = pld.epsilon(List.of(event(q, sigma, 1)), delta);
        assertTrue(bound >= truth * (1 - 1e-9), bound + " is below the truth " + truth);
        assertTrue(bound <= truth + 1e-4 + 1e-4 * truth, bound + " is far above the truth " + truth);
    }

    /** Two different steps: E over the first output of the second step's exact curve, by fine quadrature. */
    @ParameterizedTest
    @CsvSource({"0.1, 1, 0.4, 2, 1e-5", "0.01, 0.7, 1, 8, 1e-6", "0.5, 1.5, 0.003, 0.6, 1e-9"})
    void twoDifferentStepsAgainstQuadrature(double q1, double sigma1, double q2, double sigma2, double delta) {
        double bound = pld.epsilon(List.of(event(q1, sigma1, 1), event(q2, sigma2, 1)), delta);
        double truth = bisect(q1, sigma1, q2, sigma2, delta);
        assertTrue(bound >= truth - 1e-7, bound + " is below the truth " + truth);
        assertTrue(bound <= truth + 2e-4, bound + " is far above the truth " + truth);
    }

    private static double bisect(double q1, double sigma1, double q2, double sigma2, double delta) {
        double low = 0;
        double high = 60;
        while (high - low > 1e-9) {
            double middle = (low + high) / 2;
            if (twoStepDelta(q1, sigma1, q2, sigma2, middle) > delta) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private static double twoStepDelta(double q1, double sigma1, double q2, double sigma2, double epsilon) {
        SubsampledGaussianLoss first = new SubsampledGaussianLoss(q1, sigma1, 1);
        int points = 40_000;
        double from = -14 * sigma1;
        double width = (1 + 28 * sigma1) / points;
        double sum = 0;
        for (int i = 0; i < points; i++) {
            double x = from + (i + 0.5) * width;
            sum += width * first.density(LossDirection.REMOVE, x) * oneStepDelta(q2, sigma2, epsilon - first.loss(x));
        }
        return sum;
    }

    private static double oneStepDelta(double q, double sigma, double epsilon) {
        double excess = Math.expm1(epsilon) / q;
        return excess <= -1 ? -Math.expm1(epsilon) : q * GaussianMechanism.delta(1 / sigma, Math.log1p(excess));
    }

    /** Unsubsampled steps go through the grid only in company; compare the grid itself with the exact curve. */
    @ParameterizedTest
    @CsvSource({"5, 50, 1e-5", "1, 1, 1e-5", "2, 1000, 1e-9", "300, 10, 1e-5"})
    void gridAgainstTheAnalyticGaussian(double sigma, int steps, double delta) {
        double truth = GaussianMechanism.epsilon(Math.sqrt(steps) / sigma, delta);
        for (LossDirection direction : LossDirection.values()) {
            double bound = new LossComposition(List.of(new SubsampledGaussianLoss(1, sigma, steps)), direction, delta)
                    .epsilon();
            assertTrue(
                    bound >= truth * (1 - 1e-9) && bound <= truth + 2e-4 + 2e-5 * truth, bound + " against " + truth);
        }
    }

    /** Splitting an event into parts changes nothing, whatever the order. */
    @Test
    void compositionDependsOnlyOnTheTotal() {
        List<PrivacyEvent> whole = List.of(event(0.02, 1.1, 700), event(1, 20, 2));
        List<PrivacyEvent> parts =
                List.of(event(1, 20, 1), event(0.02, 1.1, 300), event(1, 20, 1), event(0.02, 1.1, 400));
        assertEquals(pld.epsilon(whole, 1e-5), pld.epsilon(parts, 1e-5), 1e-9);
        assertEquals(rdp.epsilon(whole, 1e-5), rdp.epsilon(parts, 1e-5), 1e-9);
    }

    /** Wherever one looks, the reported bound is a number, at most the Rényi one, and grows with what is asked. */
    @ParameterizedTest
    @CsvSource({"0.5", "1e-5", "1e-40"})
    void neverAboveRdpAndMonotoneInSteps(double delta) {
        double[] rates = {1e-9, 1e-4, 0.6};
        double[] multipliers = {0.02, 0.6, 1e7};
        for (double q : rates) {
            for (double sigma : multipliers) {
                double previous = 0;
                for (int steps : new int[] {1, 1000}) {
                    List<PrivacyEvent> events = List.of(event(q, sigma, steps));
                    double bound = pld.epsilon(events, delta);
                    String where = "q=" + q + " sigma=" + sigma + " steps=" + steps + " delta=" + delta;
                    assertTrue(bound >= 0 && bound <= rdp.epsilon(events, delta), where + ": " + bound);
                    assertTrue(bound >= previous * (1 - 1e-3) - 1e-6, where + ": " + bound + " after " + previous);
                    previous = bound;
                }
            }
        }
    }
}
