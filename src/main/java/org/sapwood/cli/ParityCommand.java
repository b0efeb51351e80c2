package org.sapwood.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.UserException;
import org.sapwood.synthesis.ParityStep;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sapwood parity}: one step from given weights and inputs, example by example, for comparison with a port. */
@Command(
        name = "parity",
        header = "One training step, example by example, to hold another implementation against this one.",
        description = {
            "",
            "Starts from given weights and inputs and adds no noise.",
            "Writes output [B,C,H,W], loss [B] (mean squared error), grad_norm [B] (over all trainable parameters) and"
                    + " clipped_grad_sum.<parameter> (sum over examples, before noise), in PyTorch layouts. LoRA factors"
                    + " are <matrix without .weight>.lora_A.weight [r,in] and .lora_B.weight [out,r].",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class ParityCommand implements Callable<Integer> {
    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Option(
            names = "--config",
            required = true,
            paramLabel = "FILE",
            description = "The model, as diffusers' config.json of a UNet2DModel.")
    private Path config;

    @Option(
            names = "--weights",
            required = true,
            paramLabel = "FILE",
            description = "Its parameters, and LoRA factors if there are any, a safetensors file.")
    private Path weights;

    @Option(
            names = "--batch",
            required = true,
            paramLabel = "FILE",
            description = "x [B,C,H,W] (noisy images), t [B] (timesteps), target [B,C,H,W] (the noise) and, for a"
                    + " class-conditional model, y [B] (classes).")
    private Path batch;

    @Option(
            names = "--clip-norm",
            required = true,
            paramLabel = "X",
            description = "L2 norm to which each example's gradient is clipped, > 0.")
    private double clipNorm;

    @Option(
            names = "--trainable",
            defaultValue = "all",
            paramLabel = "WHICH",
            description = "all, attention (every parameter of the attention blocks) or lora (the factors in the weights"
                    + " file) (default: ${DEFAULT-VALUE}).")
    private ParityStep.Trainable trainable;

    @Option(
            names = "--lora-rank",
            paramLabel = "R",
            description = "Rank that the factors in the weights file must have (default: whatever they have).")
    private @Nullable Integer loraRank;

    @Option(
            names = "--lora-scale",
            defaultValue = "1",
            paramLabel = "S",
            description = "Scale s in W + s·B·A (default: ${DEFAULT-VALUE}).")
    private double loraScale;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FILE",
            description = "Where the results go, a safetensors file.")
    private Path out;

    @Override
    public Integer call() {
        common.check().positive("--clip-norm", clipNorm).finite("--lora-scale", loraScale);
        if (loraRank != null) {
            common.check().atLeast("--lora-rank", 1, loraRank);
        }
        BackendChoice choice = common.backend();
        ParityStep step = ParityStep.load(config, weights, batch, (float) loraScale);
        if (loraRank != null && step.loraRank() != loraRank) {
            throw new UserException("--lora-rank is " + loraRank + ", but " + weights + " holds "
                    + (step.loraRank() == 0 ? "no LoRA factors" : "LoRA factors of rank " + step.loraRank()));
        }
        try (Backend backend = choice.open()) {
            step.run(backend, trainable, clipNorm, out);
        }
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("out", out);
        data.put("backend", choice.name());
        common.result(data, List.of("wrote " + out));
        return ExitCode.OK;
    }
}
