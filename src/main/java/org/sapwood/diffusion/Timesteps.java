package org.sapwood.diffusion;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.sapwood.io.UserException;

/** Which timesteps a sampler visits. */
final class Timesteps {
    /**
     * Noisier than this is as good as pure noise: timesteps below this λ are skipped, as Lu et al. advise for the cosine
     * schedule, where they would only magnify the model's error by 1/√ᾱ.
     */
    private static final double MIN_LAMBDA = -5.1;

    private Timesteps() {}

    /** The noisiest timestep worth visiting. */
    static int first(NoiseSchedule schedule) {
        int t = schedule.steps() - 1;
        while (t > 0 && schedule.lambda(t) < MIN_LAMBDA) {
            t--;
        }
        return t;
    }

    /**
     * {@code steps} strictly falling timesteps in [0, first]: those wanted, moved as little as that needs.
     *
     * @param wanted the i-th timestep, not increasing
     * @throws UserException if there are fewer timesteps than steps
     */
    static List<Integer> descend(int first, int steps, IntUnaryOperator wanted) {
        if (steps < 1 || steps > first + 1) {
            throw new UserException("sampling steps must be in [1, " + (first + 1) + "], got " + steps);
        }
        List<Integer> timesteps = new ArrayList<>();
        int previous = first + 1;
        for (int i = 0; i < steps; i++) {
            previous = Math.max(steps - 1 - i, Math.min(previous - 1, wanted.applyAsInt(i)));
            timesteps.add(previous);
        }
        return timesteps;
    }
}
