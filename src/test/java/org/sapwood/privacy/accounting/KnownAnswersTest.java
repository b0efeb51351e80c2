package org.sapwood.privacy.accounting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Published or independently computed ε. The PLD column is the truth to its printed digits, from a fine
 * connect-the-dots computation; the RDP column follows from the formulas of Mironov, Talwar, Zhang and Canonne, Kamath,
 * Steinke at the orders {1.1 … 10.9} ∪ {12 … 63}.
 */
class KnownAnswersTest {

    private final RdpAccountant rdp = new RdpAccountant();
    private final PldAccountant pld = new PldAccountant();

    @ParameterizedTest
    @CsvSource({
        "0.04, 1.5, 2250, 7.329111171484, 6.7687815",
        "0.0025, 1.3, 6000, 0.7242234026, 0.64002",
        "0.01, 4.0, 10000, 1.0354900660, 0.94690",
        "0.004266666666666667, 1.1, 14062, 2.5965558690, 2.38160",
        "0.01, 0.7, 120, 3.239192193913, 2.4612377",
        "0.02, 1.0, 500, 3.1442564752, 2.7734501",
        "1.0, 5.0, 50, 7.0773915782, 6.572970067"
    })
    void epsilonAtDelta1em5(double q, double sigma, int steps, double expectedRdp, double truth) {
        List<PrivacyEvent> events = List.of(new PrivacyEvent("training", q, sigma, 1, steps));
        double byRdp = rdp.epsilon(events, 1e-5);
        double byPld = pld.epsilon(events, 1e-5);
        assertEquals(expectedRdp, byRdp, 1e-6 * expectedRdp);
        // The window below is the uncertainty of the printed truth; PldBoundTest shows that the bound is one.
        assertTrue(byPld >= truth - 5e-5 && byPld <= truth + 2e-4, "PLD " + byPld + " against " + truth);
        assertTrue(byPld <= byRdp);
    }

    @ParameterizedTest
    @CsvSource({"0.01, 1, 2, 1.7181342207453e-4", "0.01, 1, 32, 11.246275937", "0.1, 2, 1.5, 2.0989345959e-3"})
    void singleStepRdp(double q, double sigma, double order, double expected) {
        assertEquals(expected, SubsampledGaussianRdp.perStep(q, sigma, order), 1e-9 * expected);
    }

    @ParameterizedTest
    @CsvSource({"0, 1, 100, 0", "0, 0, 1, 0", "0.5, 1, 0, 0", "1, 0, 1, Infinity", "0.001, 0, 1, Infinity"})
    void degenerateEvents(double q, double sigma, int steps, double expected) {
        List<PrivacyEvent> events = List.of(new PrivacyEvent("training", q, sigma, 1, steps));
        assertEquals(expected, rdp.epsilon(events, 0.1));
        assertEquals(expected, pld.epsilon(events, 0.1));
    }

    @ParameterizedTest
    @CsvSource({"1e-5", "1e-12"})
    void noEventsCostNothing(double delta) {
        assertEquals(0, rdp.epsilon(List.of(), delta));
        assertEquals(0, pld.epsilon(List.of(), delta));
    }
}
