package org.sapwood.privacy.accounting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calibrated noise: known answers, and the promise that ε never ends above the target. */
class CalibrationTest {

    private final RdpAccountant rdp = new RdpAccountant();
    private final PldAccountant pld = new PldAccountant();

    private static PrivacyEvent event(String name, double q, double sigma, int steps) {
        return new PrivacyEvent(name, q, sigma, 1, steps);
    }

    @Test
    void knownAnswers() {
        PrivacyEvent training = event("training", 0.04, 1, 2250);
        double byRdp = new Calibration(rdp, 8, 1e-5).noiseMultiplier(training, List.of());
        double byPld = new Calibration(pld, 8, 1e-5).noiseMultiplier(training, List.of());
        assertEquals(1.41578725, byRdp, 3e-6);
        assertEquals(1.3458990, byPld, 2e-5);
    }

    /** B = 4096, T = 1000, N = 45,000, δ = 1/(N ln N): with and without a selection query of σ_s = 5 at rate 1. */
    @ParameterizedTest
    @CsvSource({"1, 12.71, 26.25", "10, 1.788, 1.797"})
    void knownAnswersWithSelection(double epsilon, double alone, double withSelection) {
        int examples = 45_000;
        Calibration calibration = new Calibration(rdp, epsilon, 1 / (examples * Math.log(examples)));
        PrivacyEvent training = event("training", 4096.0 / examples, 1, 1000);
        assertEquals(alone, calibration.noiseMultiplier(training, List.of()), 1.5e-3 * alone);
        assertEquals(
                withSelection,
                calibration.noiseMultiplier(training, List.of(event("selection", 1, 5, 1))),
                1.5e-3 * withSelection);
    }

    @ParameterizedTest
    @CsvSource({"0.01, 500, 0.3, 1e-5", "1, 20, 40, 1e-6", "1e-5, 100, 1, 1e-4"})
    void resultMeetsTheTargetAndLittleLessNoiseDoesNot(double q, int steps, double epsilon, double delta) {
        PrivacyEvent training = event("training", q, 1, steps);
        List<PrivacyEvent> fixed = List.of(event("other", 0.3, 30, 2));
        for (Accountant accountant : List.of(rdp, pld)) {
            double sigma = new Calibration(accountant, epsilon, delta).noiseMultiplier(training, fixed);
            List<PrivacyEvent> found = List.of(fixed.getFirst(), training.withNoiseMultiplier(sigma));
            assertTrue(accountant.epsilon(found, delta) <= epsilon);
            if (sigma > 1e-3) {
                List<PrivacyEvent> less = List.of(fixed.getFirst(), training.withNoiseMultiplier(sigma * 0.999));
                assertTrue(accountant.epsilon(less, delta) > epsilon, "sigma " + sigma + " is not the smallest");
            }
        }
    }

    @Test
    void adaptiveSelectionCostsAtMostThreePercent() {
        int examples = 8000;
        Calibration calibration = new Calibration(pld, 1, 1 / (examples * Math.log(examples)));
        PrivacyEvent training = event("training", 0.05, 1, 600);
        PrivacyEvent selection = event("selection", 1, 1, 1);
        double chosen = calibration.selectionNoiseMultiplier(selection, training, List.of());
        double alone = calibration.noiseMultiplier(training, List.of());
        double together = calibration.noiseMultiplier(training, List.of(selection.withNoiseMultiplier(chosen)));
        double tooLittle = calibration.noiseMultiplier(training, List.of(selection.withNoiseMultiplier(0.98 * chosen)));
        assertTrue(together <= 1.03 * alone * (1 + 1e-6), together + " against " + alone);
        assertTrue(tooLittle > 1.03 * alone);
    }

    @Test
    void refusesWhenTheFixedEventsExceedTheTarget() {
        Calibration calibration = new Calibration(pld, 1, 1e-5);
        IllegalArgumentException thrown = assertThrows(
                IllegalArgumentException.class,
                () -> calibration.noiseMultiplier(event("training", 0.01, 1, 10), List.of(event("s", 1, 1, 1))));
        assertTrue(String.valueOf(thrown.getMessage()).contains("fixed events alone"));
        assertThrows(IllegalArgumentException.class, () -> new Calibration(pld, -1, 1e-5));
        assertThrows(IllegalArgumentException.class, () -> new Calibration(pld, 1, 0));
    }
}
