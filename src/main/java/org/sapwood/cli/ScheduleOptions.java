package org.sapwood.cli;

import org.jspecify.annotations.Nullable;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.TimestepSampler;
import picocli.CommandLine.Option;

/** The diffusion process that a model is trained on. */
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class ScheduleOptions {
    @Option(
            names = "--schedule",
            paramLabel = "NAME",
            description =
                    "Noise schedule: linear or cosine, of 1000 steps unless it says otherwise (linear:500) (default:"
                            + " the public model's, linear where it names none).")
    private @Nullable String schedule;

    @Option(
            names = "--timesteps",
            paramLabel = "MIX",
            description =
                    "Training timesteps: uniform, or a mixture WEIGHT:FROM-TO,… of any number of ranges (default: "
                            + MethodDefaults.TIMESTEPS + ").")
    private @Nullable String timesteps;

    /** The schedule asked for, or {@code otherwise}. */
    NoiseSchedule schedule(String otherwise) {
        return NoiseSchedule.named(schedule == null ? otherwise : schedule);
    }

    /** The distribution of training timesteps under {@code noise}. */
    TimestepSampler timesteps(NoiseSchedule noise, MethodDefaults defaults) {
        return TimestepSampler.parse(timesteps == null ? defaults.timesteps() : timesteps, noise.steps());
    }
}
