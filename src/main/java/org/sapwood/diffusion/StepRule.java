package org.sapwood.diffusion;

import java.util.List;
import org.sapwood.io.UserException;

/** A sampler: the timesteps it visits and what it does at each. */
public sealed interface StepRule permits Ddim, DpmSolver {
    /** Name for options and records. */
    String name();

    /** The steps from noise to image, in order; the last one ends at the clean image. */
    List<SamplingStep> plan(NoiseSchedule schedule, int steps);

    /**
     * The sampler of that name.
     *
     * @param name {@code ddim} or {@code dpm-solver++}
     * @throws UserException for any other name
     */
    static StepRule named(String name) {
        return switch (name) {
            case "ddim" -> new Ddim(0);
            case "dpm-solver++" -> new DpmSolver();
            default -> throw new UserException("unknown sampler '" + name + "', expected ddim or dpm-solver++");
        };
    }
}
