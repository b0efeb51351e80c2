package org.sapwood.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sapwood.diffusion.DpmSolver;
import org.sapwood.diffusion.SamplingOptions;
import org.sapwood.diffusion.StepRule;
import org.sapwood.synthesis.ImageGenerator;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;

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
            description = "Classifier-free guidance: 1 is plain, more is closer to the class and less varied (default:"
                    + " 2; 1 for a model without classes).")
    private @Nullable Double guidanceScale;

    @Option(
            names = "--sampling-batch",
            paramLabel = "N",
            defaultValue = "32",
            description =
                    "Images that a thread draws at a time, >= 1; does not change them (default: ${DEFAULT-VALUE}).")
    private int batch;

    /** What the defaults above say, for a first look at a model. */
    static SamplingOptions defaults(ImageGenerator model, int threads, long seed) {
        return new SamplingOptions(new DpmSolver(), 20, defaultGuidance(model), true, 32, threads, seed);
    }

    /** Refuses options on the command line that a GAN does not have: it draws an image in one pass. */
    static void refuseForGan(ParseResult parsed, OptionCheck check) {
        for (String option : List.of("--sampler", "--sampling-steps", "--guidance-scale")) {
            if (parsed.hasMatchedOption(option)) {
                throw check.error(option + " is for diffusion models, but this model is a GAN; leave it out");
            }
        }
    }

    /** Refuses values out of range. */
    void check(OptionCheck check) {
        check.atLeast("--sampling-steps", 1, samplingSteps).atLeast("--sampling-batch", 1, batch);
        if (guidanceScale != null) {
            check.finite("--guidance-scale", guidanceScale);
        }
    }

    /** The options as the sampler takes them. */
    SamplingOptions toSamplingOptions(ImageGenerator model, int threads, long seed) {
        double guidance = guidanceScale == null ? defaultGuidance(model) : guidanceScale;
        return new SamplingOptions(sampler, samplingSteps, guidance, true, batch, threads, seed);
    }

    private static double defaultGuidance(ImageGenerator model) {
        return model.canBeGuided() ? 2 : 1;
    }
}
