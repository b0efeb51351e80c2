package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.io.Json;
import org.sapwood.privacy.accounting.PldAccountant;
import org.sapwood.privacy.accounting.PrivacyEvent;

/** Known answers are those of docs/privacy.md. */
class PrivacyCommandTest {
    private static final String EPSILON = "privacy epsilon --delta 1e-5 --event ";
    private static final String CALIBRATE =
            "privacy calibrate --sampling-rate 0.04 --steps 2250 --delta 1e-5 --epsilon ";

    private static double number(Map<String, Object> json, String key) {
        return Json.number(json.get(key), key);
    }

    @Test
    void epsilonAsJson() {
        Map<String, Object> json =
                Run.of(EPSILON + "q=0.04,sigma=1.5,steps=2250 --json").json();
        assertEquals(List.of("delta", "rdp", "pld"), List.copyOf(json.keySet()));
        assertEquals(1e-5, json.get("delta"));
        assertEquals(7.329111171484, number(json, "rdp"), 7.4e-6);
        assertEquals(6.7687815, number(json, "pld"), 1e-3);
    }

    @Test
    void eventsAreComposed() {
        String second = " --event q=0.04,sigma=5,steps=1";
        Map<String, Object> json = Run.of(EPSILON + "q=0.02,sigma=1.0,steps=500" + second + " --json")
                .json();
        double expected = new PldAccountant()
                .epsilon(List.of(new PrivacyEvent("a", 0.02, 1, 1, 500), new PrivacyEvent("b", 0.04, 5, 1, 1)), 1e-5);
        assertEquals(expected, json.get("pld"));
        assertTrue(expected > 2.7734501);
    }

    @Test
    void anInfiniteEpsilonIsAString() {
        Map<String, Object> json = Run.of("privacy epsilon --delta 0.1 --event q=1,sigma=0,steps=1 --json")
                .json();
        assertEquals("Infinity", json.get("rdp"));
        assertEquals("Infinity", json.get("pld"));
    }

    @Test
    void calibrateAsJson() {
        Map<String, Object> json = Run.of(CALIBRATE + "8 --json").json();
        assertEquals(List.of("rdp", "pld"), List.copyOf(json.keySet()));
        assertEquals(1.41578725, number(json, "rdp"), 1e-5);
        assertEquals(1.3458990, number(json, "pld"), 1e-4);
    }

    @Test
    void aSettledEventRaisesTheNoise() {
        Map<String, Object> json = Run.of(
                        "privacy calibrate --sampling-rate 1 --steps 50 --delta 1e-5 --epsilon 6.573 --json --event"
                                + " q=1,sigma=10,steps=10")
                .json();
        double withoutIt = 5;
        assertTrue(number(json, "rdp") > withoutIt && number(json, "pld") > withoutIt, json.toString());
    }

    /** A bound is never shown smaller than it is. */
    @Test
    void textIsRoundedUp() {
        Run run = Run.of(EPSILON + "q=1,sigma=5.0,steps=50");
        assertEquals(0, run.code());
        assertTrue(run.out().startsWith("ε = 6.57298 by PLD, 7.0774 by RDP"), run.out());
        assertEquals("0.00123457", Rounding.up(0.00123456001));
        assertEquals("Infinity", Rounding.up(Double.POSITIVE_INFINITY));
    }

    @Test
    void anImpossibleTargetFails() {
        Run.of(CALIBRATE + "1 --event q=1,sigma=0.1,steps=1").failed(1, "the fixed events alone cost epsilon");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "epsilon --delta 0 --event q=1,sigma=1,steps=1      | --delta must be in (0, 1), got 0",
                "epsilon --delta NaN --event q=1,sigma=1,steps=1    | --delta must be in (0, 1), got NaN",
                "epsilon --delta 0.1 --event q=2,sigma=1,steps=1    | q must be in [0, 1], got 2",
                "epsilon --delta 0.1 --event q=1,sigma=-1,steps=1   | sigma must be finite and >= 0, got -1",
                "epsilon --delta 0.1 --event q=1,sigma=1,steps=1.5  | steps must be a whole number >= 0, got 1.5",
                "epsilon --delta 0.1 --event q=1,sigma=x,steps=1    | sigma must be a number, got x",
                "epsilon --delta 0.1 --event q=1,sigma=1            | lacks steps",
                "epsilon --delta 0.1 --event q=1,q=1,sigma=1        | wrong at 'q=1'",
                "epsilon --delta 0.1 --event q=1,noise=1            | wrong at 'noise=1'",
                "epsilon --delta 0.1                                | --event",
                "calibrate --sampling-rate 0 --steps 1 --epsilon 1 --delta 0.1   | --sampling-rate must be in (0, 1],"
                        + " got 0",
                "calibrate --sampling-rate 0.1 --steps 0 --epsilon 1 --delta 0.1 | --steps must be >= 1, got 0",
                "calibrate --sampling-rate 0.1 --steps 1 --epsilon -1 --delta 0.1 | --epsilon must be > 0, got -1",
                "calibrate --sampling-rate 0.1 --steps 1 --epsilon 0 --delta 0.1 | --epsilon must be > 0, got 0",
                "calibrate --sampling-rate 0.1 --steps 1 --epsilon 1 --delta 1   | --delta must be in (0, 1), got 1",
            })
    void badValuesAreWrongUsage(String args, String message) {
        Run.of("privacy " + args).failed(2, message);
    }
}
