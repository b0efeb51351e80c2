package org.sapwood.cli;

import org.sapwood.diffusion.DpmSolver;
import org.sapwood.diffusion.SamplingOptions;
import org.sapwood.diffusion.StepRule;
import picocli.CommandLine.Option;

/** How images are drawn from a trained model. */
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class DrawingOptions {
    @Option(
            names = "--sampler",
            paramLabel = "NAME",
            defaultValue = "dpm-solver++",
            converter = SamplerConverter.class,
            description = "ddim or dpm-solver++ (default: ${DEFAULT-VALUE}).")
    private StepRule sampler;

    @Option(
            names = "--sampling-steps",
            paramLabel = "N",
            defaultValue = "20",
            description = "Model evaluations per image, >= 1; guidance doubles them (default: ${DEFAULT-VALUE}).")
    private int samplingSteps;

    @Option(
            names = "--guidance-scale",
            paramLabel = "W",
            defaultValue = "1.0",
            description = "Classifier-free guidance: 1 is plain, more is closer to the class and less varied (default:"
                    + " ${DEFAULT-VALUE}).")
    private double guidanceScale;

    @Option(
            names = "--sampling-batch",
            paramLabel = "N",
            defaultValue = "32",
            description =
                    "Images that a thread draws at a time, >= 1; does not change them (default: ${DEFAULT-VALUE}).")
    private int batch;

    /** What the defaults above say, for a first look at a model. */
    static SamplingOptions defaults(int threads, long seed) {
        return new SamplingOptions(new DpmSolver(), 20, 1, true, 32, threads, seed);
    }

    /** The options as the sampler takes them. */
    SamplingOptions toSamplingOptions(OptionCheck check, int threads, long seed) {
        check.atLeast("--sampling-steps", 1, samplingSteps)
                .atLeast("--sampling-batch", 1, batch)
                .finite("--guidance-scale", guidanceScale);
        return new SamplingOptions(sampler, samplingSteps, guidanceScale, true, batch, threads, seed);
    }
}
