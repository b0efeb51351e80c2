package org.sapwood.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * DDIM (Song, Meng and Ermon 2021, arXiv 2010.02502, equation 12). Timesteps are evenly spaced from the noisiest to 0.
 *
 * @param eta η in [0, 1]: 0 is deterministic, 1 is DDPM's ancestral sampling
 */
public record Ddim(double eta) implements StepRule {
    public Ddim {
        if (!(eta >= 0 && eta <= 1)) {
            throw new IllegalArgumentException("DDIM's eta must be in [0, 1], got " + eta);
        }
    }

    @Override
    public String name() {
        return "ddim";
    }

    @Override
    public List<SamplingStep> plan(NoiseSchedule schedule, int steps) {
        int first = Timesteps.first(schedule);
        List<Integer> timesteps = Timesteps.descend(
                first, steps, i -> steps == 1 ? first : (int) Math.round(first * (1 - i / (steps - 1.0))));
        List<SamplingStep> plan = new ArrayList<>();
        for (int i = 0; i < steps; i++) {
            int t = timesteps.get(i);
            double from = schedule.alphaBar(t);
            double to = i == steps - 1 ? 1 : schedule.alphaBar(timesteps.get(i + 1));
            double signal = Math.sqrt(from);
            double sigma = Math.sqrt(1 - from);
            double fresh = eta * Math.sqrt((1 - to) / (1 - from) * (1 - from / to));
            // ε̂ is expressed through x and x̂₀, so that clipping x̂₀ corrects it as well.
            double direction = Math.sqrt(Math.max(0, 1 - to - fresh * fresh)) / sigma;
            plan.add(new SamplingStep(t, signal, sigma, direction, Math.sqrt(to) - direction * signal, 0, fresh));
        }
        return plan;
    }
}
