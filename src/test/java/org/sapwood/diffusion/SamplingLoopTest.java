package org.sapwood.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.rng.sampling.distribution.ContinuousSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sapwood.io.UserException;

/**
 * Both samplers against data whose score is known: N(mean, deviation²) in every coordinate, for which the best noise
 * prediction is √(1 − ᾱ)·(x − √ᾱ·mean)/(ᾱ·deviation² + 1 − ᾱ) and the diffusion ODE is solved by a straight rescaling.
 */
class SamplingLoopTest {
    private static final int VALUES = 20_000;
    private static final double MEAN = 0.3;
    private static final double DEVIATION = 0.5;

    private static NoisePredictor gaussian(NoiseSchedule schedule, double mean, double deviation) {
        return (noisy, t, labels, noise) -> {
            double share = schedule.alphaBar(t);
            double variance = share * deviation * deviation + 1 - share;
            for (int i = 0; i < noise.length; i++) {
                noise[i] = (float) (Math.sqrt(1 - share) * (noisy[i] - Math.sqrt(share) * mean) / variance);
            }
        };
    }

    private static ContinuousSampler normal() {
        return ZigguratSampler.NormalizedGaussian.of(RandomSource.PHILOX_4X32.create(5L));
    }

    private static float[] draw(StepRule rule, NoiseSchedule schedule, int steps, boolean clip, double deviation) {
        SamplingLoop loop = new SamplingLoop(rule.plan(schedule, steps), clip, 1, VALUES);
        return loop.run(gaussian(schedule, MEAN, deviation), new ContinuousSampler[] {normal()}, new int[] {0});
    }

    /** Root mean square distance from the exact solution of the ODE that starts from the same noise. */
    private static double odeError(StepRule rule, NoiseSchedule schedule, int steps) {
        float[] drawn = draw(rule, schedule, steps, false, DEVIATION);
        double share = schedule.alphaBar(Timesteps.first(schedule));
        double slope = DEVIATION / Math.sqrt(share * DEVIATION * DEVIATION + 1 - share);
        ContinuousSampler start = normal();
        double sum = 0;
        for (float value : drawn) {
            double exact = MEAN + slope * ((float) start.sample() - Math.sqrt(share) * MEAN);
            sum += (value - exact) * (value - exact);
        }
        return Math.sqrt(sum / drawn.length);
    }

    private static Stream<NoiseSchedule> schedules() {
        return Stream.of(NoiseSchedule.linear(1000), NoiseSchedule.cosine(1000));
    }

    private static double mean(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        return sum / values.length;
    }

    private static double deviation(float[] values) {
        double mean = mean(values);
        double sum = 0;
        for (float value : values) {
            sum += (value - mean) * (value - mean);
        }
        return Math.sqrt(sum / values.length);
    }

    @ParameterizedTest
    @MethodSource("schedules")
    void everySamplerReproducesTheDistribution(NoiseSchedule schedule) {
        for (StepRule rule : List.of(new Ddim(0), new Ddim(0.5), new Ddim(1), new DpmSolver())) {
            float[] drawn = draw(rule, schedule, 200, false, DEVIATION);
            // Four standard errors of the estimates, and 2 % for the steps.
            assertEquals(MEAN, mean(drawn), 0.015, rule + " on " + schedule);
            assertEquals(DEVIATION, deviation(drawn), 0.02, rule + " on " + schedule);
        }
    }

    @ParameterizedTest
    @MethodSource("schedules")
    void secondOrderIsCloserToTheOdeThanDdim(NoiseSchedule schedule) {
        double ddim = odeError(new Ddim(0), schedule, 20);
        double solver = odeError(new DpmSolver(), schedule, 20);
        assertTrue(solver < ddim / 3, "DDIM " + ddim + ", DPM-Solver++ " + solver + " on " + schedule);
        assertTrue(solver < 0.01, "DPM-Solver++ " + solver + " on " + schedule);
    }

    @Test
    void halvingTheStepQuartersTheSolversError() {
        NoiseSchedule schedule = NoiseSchedule.linear(1000);
        double coarse = odeError(new DpmSolver(), schedule, 12);
        double fine = odeError(new DpmSolver(), schedule, 24);
        assertTrue(fine < coarse / 3, coarse + " then " + fine);
        assertTrue(
                odeError(new Ddim(0), schedule, 100) < odeError(new Ddim(0), schedule, 25) / 2.5,
                "DDIM converges with first order");
    }

    @ParameterizedTest
    @MethodSource("schedules")
    void theTrueNoiseLeadsStraightToTheImage(NoiseSchedule schedule) {
        for (StepRule rule : List.of(new Ddim(0), new DpmSolver())) {
            for (int steps : new int[] {1, 2, 7, 50}) {
                for (float value : draw(rule, schedule, steps, false, 0)) {
                    assertEquals(MEAN, value, 2e-4, rule + " with " + steps + " steps on " + schedule);
                }
            }
        }
    }

    @Test
    void clippingHoldsTheEstimatesToTheRange() {
        NoiseSchedule schedule = NoiseSchedule.cosine(1000);
        for (StepRule rule : List.of(new Ddim(0), new Ddim(1), new DpmSolver())) {
            double beyond = 0;
            for (float value : draw(rule, schedule, 20, false, 1)) {
                beyond = Math.max(beyond, Math.abs(value));
            }
            assertTrue(beyond > 2, "without clipping N(0.3, 1) goes beyond 2");
            for (float value : draw(rule, schedule, 20, true, 1)) {
                assertTrue(value >= -1 && value <= 1, rule + " gave " + value);
            }
        }
    }

    @Test
    void plansFallToZeroHoweverManySteps() {
        for (NoiseSchedule schedule : schedules().toList()) {
            int first = Timesteps.first(schedule);
            for (StepRule rule : List.of(new Ddim(0), new DpmSolver())) {
                for (int steps : new int[] {1, 2, 3, 20, 500, first + 1}) {
                    List<SamplingStep> plan = rule.plan(schedule, steps);
                    assertEquals(steps, plan.size());
                    assertEquals(first, plan.getFirst().timestep());
                    assertEquals(steps == 1 ? first : 0, plan.getLast().timestep(), rule + " " + steps);
                    for (int i = 1; i < steps; i++) {
                        assertTrue(plan.get(i).timestep() < plan.get(i - 1).timestep(), rule + " step " + i);
                    }
                }
                assertThrows(UserException.class, () -> rule.plan(schedule, first + 2));
                assertThrows(UserException.class, () -> rule.plan(schedule, 0));
            }
        }
    }

    @Test
    void linearScheduleIsUsedWholeAndTheCosineOneWithoutItsEnd() {
        assertEquals(999, Timesteps.first(NoiseSchedule.linear(1000)));
        NoiseSchedule cosine = NoiseSchedule.cosine(1000);
        int first = Timesteps.first(cosine);
        assertTrue(cosine.lambda(first) >= -5.1 && cosine.lambda(first + 1) < -5.1, "starts at " + first);
    }

    @Test
    void rulesAreFoundByName() {
        assertEquals(new Ddim(0), StepRule.named("ddim"));
        assertEquals(new DpmSolver(), StepRule.named("dpm-solver++"));
        UserException unknown = assertThrows(UserException.class, () -> StepRule.named("euler"));
        assertTrue(unknown.getMessage().contains("'euler'"), unknown.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new Ddim(1.5));
    }
}
