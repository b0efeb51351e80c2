package org.sapwood.privacy.aggregation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.sapwood.privacy.clipping.AutomaticClipping;
import org.sapwood.privacy.clipping.ClippingRule;
import org.sapwood.privacy.clipping.FlatClipping;
import org.sapwood.privacy.clipping.LayerWiseClipping;

/**
 * Adding or removing one example moves the sum by at most its stated L2 sensitivity, checked in exact arithmetic with
 * gradients chosen to round the wrong way.
 */
class SensitivityContractTest {

    private static final int PARAMETERS = 3000;
    private static final int[] GROUPS = {0, 1000, 1003, PARAMETERS};

    /** ‖Δ‖² ≤ sensitivity², with no floating point in between. */
    private static boolean withinSensitivity(long[] with, long[] without, SumGrid grid) {
        BigInteger square = BigInteger.ZERO;
        for (int i = 0; i < with.length; i++) {
            BigInteger difference = BigInteger.valueOf(with[i] - without[i]);
            square = square.add(difference.multiply(difference));
        }
        BigDecimal step = new BigDecimal(grid.step());
        BigDecimal bound = new BigDecimal(grid.sensitivity());
        return new BigDecimal(square).multiply(step).multiply(step).compareTo(bound.multiply(bound)) <= 0;
    }

    private static double[] squaredNorms(float[] gradient) {
        double[] squares = new double[GROUPS.length - 1];
        for (int group = 0; group < squares.length; group++) {
            for (int i = GROUPS[group]; i < GROUPS[group + 1]; i++) {
                squares[group] += (double) gradient[i] * gradient[i];
            }
        }
        return squares;
    }

    private static boolean addExample(GradientGrid grid, float[] gradient, BoundedSum sum) {
        float[] scales = new float[GROUPS.length - 1];
        boolean counts = grid.scales(squaredNorms(gradient), scales);
        for (int group = 0; group < scales.length; group++) {
            int from = GROUPS[group];
            sum.add(gradient, from, GROUPS[group + 1] - from, scales[group], from);
        }
        return counts;
    }

    private static List<ClippingRule> rules() {
        return List.of(
                new FlatClipping(1),
                new FlatClipping(0.37),
                LayerWiseClipping.equal(1.3, 3),
                new LayerWiseClipping(1, 0.01, 2),
                new AutomaticClipping(1, 0.01));
    }

    /** Gradients of many shapes: dense, sparse, huge, tiny, at the bound, and all coordinates just above a half step. */
    private static List<float[]> adversaries(SplittableRandom random, double step) {
        float[] dense = new float[PARAMETERS];
        float[] spike = new float[PARAMETERS];
        float[] huge = new float[PARAMETERS];
        float[] tiny = new float[PARAMETERS];
        float[] wide = new float[PARAMETERS];
        float[] halves = new float[PARAMETERS];
        float[] atBound = new float[PARAMETERS];
        for (int i = 0; i < PARAMETERS; i++) {
            dense[i] = (float) random.nextGaussian();
            huge[i] = (float) (1e37 * random.nextGaussian());
            tiny[i] = (float) (1e-42 * random.nextGaussian());
            wide[i] = (float) (Math.exp(random.nextDouble(-60, 60)) * random.nextGaussian());
            halves[i] = (float) (step * (random.nextInt(3) + 0.5000001));
            atBound[i] = (float) (1 / Math.sqrt(PARAMETERS));
        }
        spike[random.nextInt(PARAMETERS)] = 1;
        return List.of(dense, spike, huge, tiny, wide, halves, atBound, new float[PARAMETERS]);
    }

    @Test
    void oneExampleMovesTheSumByAtMostTheSensitivity() {
        for (ClippingRule rule : rules()) {
            GradientGrid grid = new GradientGrid(rule, PARAMETERS);
            assertEquals(rule.sensitivity(), grid.sensitivity());
            for (long seed = 0; seed < 8; seed++) {
                for (float[] gradient :
                        adversaries(new SplittableRandom(seed), grid.sumGrid().step())) {
                    BoundedSum sum = new BoundedSum(grid.sumGrid());
                    addExample(grid, adversaries(new SplittableRandom(99), 1).getFirst(), sum);
                    long[] without = sum.units().clone();
                    assertTrue(addExample(grid, gradient, sum));
                    assertTrue(withinSensitivity(sum.units(), without, grid.sumGrid()), rule + ", seed " + seed);
                }
            }
        }
    }

    /** Every coordinate rounds up by almost half a step: without the room left for it the bound would break. */
    @Test
    void roundingUpEverywhereStaysWithinTheSensitivity() {
        int tried = 0;
        for (int parameters = 60_000; tried < 10; parameters++) {
            double units = 0x1p22 / Math.sqrt(parameters); // of each coordinate, when all are equal and the norm is C
            if (units - Math.floor(units) < 0.5 || units - Math.floor(units) > 0.55) {
                continue;
            }
            tried++;
            GradientGrid grid = new GradientGrid(new FlatClipping(1), parameters);
            float[] gradient = new float[parameters];
            Arrays.fill(gradient, 1);
            float[] scales = new float[1];
            grid.scales(new double[] {parameters}, scales);
            BoundedSum sum = new BoundedSum(grid.sumGrid());
            sum.add(gradient, 0, parameters, scales[0], 0);
            assertTrue(
                    withinSensitivity(sum.units(), new long[parameters], grid.sumGrid()), parameters + " parameters");
        }
    }

    @Test
    void unclippedGradientsKeepTheirLength() {
        GradientGrid grid = new GradientGrid(new FlatClipping(1), PARAMETERS);
        float[] gradient = new float[PARAMETERS];
        gradient[7] = 0.25f;
        gradient[8] = -0.5f;
        BoundedSum sum = new BoundedSum(grid.sumGrid());
        addExample(grid, gradient, sum);
        assertEquals(0.25, sum.units()[7] * grid.sumGrid().step());
        assertEquals(-0.5, sum.units()[8] * grid.sumGrid().step());
    }

    @Test
    void nonFiniteExamplesAddExactlyNothing() {
        for (ClippingRule rule : rules()) {
            GradientGrid grid = new GradientGrid(rule, PARAMETERS);
            for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                float[] gradient = new float[PARAMETERS];
                Arrays.fill(gradient, 0.5f);
                gradient[1001] = bad;
                BoundedSum sum = new BoundedSum(grid.sumGrid());
                assertFalse(addExample(grid, gradient, sum));
                assertArrayEquals(new long[PARAMETERS], sum.units());
            }
        }
    }

    @Test
    void quantisationRoundsToNearestEven() {
        assertEquals(2, GradientGrid.quantise(2.5f, 1));
        assertEquals(4, GradientGrid.quantise(3.5f, 1));
        assertEquals(-2, GradientGrid.quantise(-2.5f, 1));
        SplittableRandom random = new SplittableRandom(4);
        for (int i = 0; i < 100_000; i++) {
            float gradient = (float) random.nextGaussian();
            float scale = (float) Math.exp(random.nextDouble(0, 20));
            assertEquals((long) Math.rint((double) gradient * scale), GradientGrid.quantise(gradient, scale));
            assertEquals(
                    Math.fma((double) gradient, (double) scale, GradientGrid.MAGIC),
                    (double) gradient * scale + GradientGrid.MAGIC);
        }
    }

    /** Energies are squared norms: their sensitivity is C², which differs from C either way. */
    @Test
    void energySensitivityIsTheSquareOfTheClipNorm() {
        SplittableRandom random = new SplittableRandom(5);
        for (double clipNorm : new double[] {0.1, 1, 3}) {
            EnergySaliency query = new EnergySaliency(clipNorm);
            assertEquals(clipNorm * clipNorm, query.newSum(16).sensitivity());
            double most = 0;
            for (int trial = 0; trial < 500; trial++) {
                double[] squares =
                        random.doubles(16).map(x -> Math.exp(40 * x - 20)).toArray();
                if (trial == 0) {
                    Arrays.fill(squares, 0);
                    squares[3] = 1e30;
                }
                BoundedSum sum = query.newSum(16);
                query.add(squares, sum);
                assertTrue(withinSensitivity(sum.units(), new long[16], sum.grid()));
                most = Math.max(
                        most,
                        Arrays.stream(sum.units()).max().orElseThrow()
                                * sum.grid().step());
            }
            // One matrix can take it all, so a smaller sensitivity would be wrong as well.
            assertEquals(clipNorm * clipNorm, most, 1e-6 * clipNorm * clipNorm);
        }
    }

    @Test
    void votesGoToTheLargestAndStayWithinTheirSensitivity() {
        VoteSaliency query = new VoteSaliency(2);
        BoundedSum sum = query.newSum(5);
        query.add(new double[] {1, 7, 3, 9, 0}, sum);
        double vote = 1 / sum.grid().step();
        assertArrayEquals(new long[] {0, (long) vote, 0, (long) vote, 0}, sum.units());
        assertTrue(withinSensitivity(sum.units(), new long[5], sum.grid()));
        assertEquals(Math.sqrt(2), query.newSum(5).sensitivity(), 1e-12);
        query.add(new double[] {1, Double.NaN, 3, 9, 0}, sum);
        assertEquals(2 * (long) vote, Arrays.stream(sum.units()).sum());
    }

    /** K draws are averaged before the one clip; the sum then holds one bounded contribution, not K. */
    @Test
    void meanOverDrawsIsClippedOnce() {
        int draws = 8;
        GradientGrid grid = new GradientGrid(new FlatClipping(1), PARAMETERS);
        SplittableRandom random = new SplittableRandom(6);
        float[] mean = new float[PARAMETERS];
        for (int k = 0; k < draws; k++) {
            IntStream.range(0, PARAMETERS).forEach(i -> mean[i] += (float) (5 + random.nextGaussian()) / draws);
        }
        BoundedSum sum = new BoundedSum(grid.sumGrid());
        addExample(grid, mean, sum);
        assertTrue(withinSensitivity(sum.units(), new long[PARAMETERS], grid.sumGrid()));
    }
}
