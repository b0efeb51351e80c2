package org.sapwood.privacy.clipping;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The factors of the three rules: what they do, and that no gradient keeps a norm above the sensitivity. */
class ClippingRuleTest {

    @Test
    void flatClipsAllGroupsTogether() {
        double[] norms = {9, 16};
        assertTrue(new FlatClipping(1).factors(norms, 0));
        assertEquals(0.2, norms[0], 1e-14);
        assertEquals(norms[0], norms[1]);
        double[] small = {0.09, 0.16};
        new FlatClipping(1).factors(small, 0);
        assertArrayEquals(new double[] {1, 1}, small);
    }

    @Test
    void layerWiseClipsEachGroup() {
        LayerWiseClipping rule = new LayerWiseClipping(3, 4);
        assertEquals(5, rule.sensitivity(), 1e-13);
        double[] norms = {36, 4};
        rule.factors(norms, 0);
        assertEquals(0.5, norms[0], 1e-14);
        assertEquals(1, norms[1]);
        assertEquals(2, LayerWiseClipping.equal(2, 7).sensitivity(), 1e-13);
    }

    @Test
    void automaticNormalises() {
        double[] norms = {9, 16};
        new AutomaticClipping(2, 0.01).factors(norms, 0);
        assertEquals(2 / 5.01, norms[0], 1e-14);
        double[] zero = {0, 0};
        new AutomaticClipping(2, 0.01).factors(zero, 0);
        assertArrayEquals(new double[] {200, 200}, zero);
    }

    @Test
    void nonFiniteExamplesGetAFactorOfExactlyZero() {
        for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, -1}) {
            for (ClippingRule rule : rules()) {
                double[] norms = {1, bad, 1};
                assertFalse(rule.factors(norms, 0), rule + " accepted " + bad);
                assertArrayEquals(new double[3], norms);
            }
        }
    }

    private static List<ClippingRule> rules() {
        return List.of(new FlatClipping(0.7), LayerWiseClipping.equal(0.7, 3), new AutomaticClipping(0.7, 1e-6));
    }

    /** The stated norms may under-read by the stated relative error; the bound must hold for the true ones. */
    @Test
    void underReadNormsStillMeetTheBound() {
        SplittableRandom random = new SplittableRandom(21);
        double relativeError = 0.05;
        for (int trial = 0; trial < 2000; trial++) {
            double[] truth = new double[3];
            double[] stated = new double[3];
            for (int i = 0; i < 3; i++) {
                truth[i] = Math.exp(random.nextDouble(-30, 30));
                stated[i] = truth[i] / (1 + relativeError);
            }
            for (ClippingRule rule : rules()) {
                double[] factors = stated.clone();
                rule.factors(factors, relativeError);
                double square = 0;
                for (int i = 0; i < 3; i++) {
                    square += factors[i] * factors[i] * truth[i];
                }
                assertTrue(Math.sqrt(square) <= rule.sensitivity(), rule + " leaves " + Math.sqrt(square));
            }
        }
    }

    @Test
    void refusesBadBounds() {
        assertThrows(IllegalArgumentException.class, () -> new FlatClipping(0));
        assertThrows(IllegalArgumentException.class, () -> new FlatClipping(Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> new LayerWiseClipping());
        assertThrows(IllegalArgumentException.class, () -> new LayerWiseClipping(1, -1));
        assertThrows(IllegalArgumentException.class, () -> new AutomaticClipping(1, 0));
        assertThrows(IllegalArgumentException.class, () -> new LayerWiseClipping(1, 2).requireGroups(3));
    }
}
