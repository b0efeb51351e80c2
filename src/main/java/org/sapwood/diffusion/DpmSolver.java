package org.sapwood.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095, algorithm 2): a second-order multistep solver of the diffusion
 * ODE in terms of the predicted clean image; deterministic. Timesteps are spaced evenly in λ, half the logarithm of the
 * signal-to-noise ratio, which the authors recommend for small images, and rounded to the schedule's integers. The first
 * step is of first order for want of a previous one; so is the last, from t = 0 to the clean image, where λ is infinite.
 */
public record DpmSolver() implements StepRule {
    @Override
    public String name() {
        return "dpm-solver++";
    }

    @Override
    public List<SamplingStep> plan(NoiseSchedule schedule, int steps) {
        List<Integer> timesteps = timesteps(schedule, steps);
        List<SamplingStep> plan = new ArrayList<>();
        double previousStride = Double.NaN;
        for (int i = 0; i < steps; i++) {
            int t = timesteps.get(i);
            double signal = Math.sqrt(schedule.alphaBar(t));
            double sigma = Math.sqrt(1 - schedule.alphaBar(t));
            if (i == steps - 1) {
                plan.add(new SamplingStep(t, signal, sigma, 0, 1, 0, 0));
                break;
            }
            int next = timesteps.get(i + 1);
            double stride = schedule.lambda(next) - schedule.lambda(t);
            double noisy = Math.sqrt((1 - schedule.alphaBar(next)) / (1 - schedule.alphaBar(t)));
            double clean = -Math.sqrt(schedule.alphaBar(next)) * Math.expm1(-stride);
            double extrapolation = i == 0 ? 0 : stride / (2 * previousStride);
            plan.add(new SamplingStep(t, signal, sigma, noisy, clean * (1 + extrapolation), -clean * extrapolation, 0));
            previousStride = stride;
        }
        return plan;
    }

    private static List<Integer> timesteps(NoiseSchedule schedule, int steps) {
        int first = Timesteps.first(schedule);
        double from = schedule.lambda(first);
        double range = schedule.lambda(0) - from;
        return Timesteps.descend(
                first, steps, i -> steps == 1 ? first : nearest(schedule, first, from + range * i / (steps - 1)));
    }

    /** The timestep in [0, first] whose λ is nearest to {@code lambda}. */
    private static int nearest(NoiseSchedule schedule, int first, double lambda) {
        int below = 0;
        while (below < first && schedule.lambda(below) > lambda) {
            below++;
        }
        boolean previousIsNearer = below > 0 && schedule.lambda(below - 1) - lambda < lambda - schedule.lambda(below);
        return previousIsNearer ? below - 1 : below;
    }
}
