package org.sapwood.synthesis;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.sapwood.data.ImageSource;
import org.sapwood.nn.AutoencoderConfig;

/**
 * Everything that decides what training an autoencoder on public images does. Defaults and their reasons are in
 * docs/methods.md.
 *
 * @param data the public images
 * @param config {@code kl28}, {@code kl32-16x3}, {@code kl32-8x4} or the path of a diffusers config.json
 * @param steps updates, ≥ 1
 * @param batch images per update, ≥ 1
 * @param learningRate of Adam, > 0
 * @param warmUpSteps updates over which the learning rate rises, ≥ 0
 * @param emaDecay of the averaged weights, in [0, 1)
 * @param divergenceWeight weight w ≥ 0 of the latents' KL divergence against the summed squared error of the pixels
 * @param augmentation of the images
 * @param microBatch images per worker at a time, or 0 for what suits the backend
 * @param seed of everything
 */
public record AutoencoderOptions(
        ImageSource data,
        String config,
        int steps,
        int batch,
        double learningRate,
        int warmUpSteps,
        double emaDecay,
        double divergenceWeight,
        Augmentation augmentation,
        int microBatch,
        long seed) {

    public AutoencoderOptions {
        OptionChecks.atLeast("--steps", steps, 1);
        OptionChecks.atLeast("--batch", batch, 1);
        OptionChecks.positive("--learning-rate", learningRate);
        OptionChecks.atLeast("--warm-up", warmUpSteps, 0);
        OptionChecks.decay("--ema-decay", emaDecay);
        OptionChecks.require(
                divergenceWeight >= 0 && Double.isFinite(divergenceWeight),
                "--kl-weight must be >= 0",
                divergenceWeight);
        OptionChecks.atLeast("--micro-batch", microBatch, 0);
    }

    /** The configuration that {@link #config} names, before a scaling factor is measured. */
    AutoencoderConfig shape() {
        AutoencoderConfig named = switch (config) {
            case "kl28" -> AutoencoderConfig.kl28();
            case "kl32-16x3" -> AutoencoderConfig.kl32To16();
            case "kl32-8x4" -> AutoencoderConfig.kl32To8();
            default -> AutoencoderConfig.read(Path.of(config));
        };
        return named.withScalingFactor(1);
    }

    /** Every option by name. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("data", data.toJson());
        json.put("config", config);
        json.put("steps", steps);
        json.put("batch", batch);
        json.put("learningRate", learningRate);
        json.put("warmUpSteps", warmUpSteps);
        json.put("emaDecay", emaDecay);
        json.put("divergenceWeight", divergenceWeight);
        json.put("augmentation", augmentation.toJson());
        json.put("microBatch", microBatch);
        json.put("seed", seed);
        return json;
    }

    /**
     * The options that {@link #toJson} wrote.
     *
     * @throws org.sapwood.io.UserException naming the option that is missing or malformed
     */
    public static AutoencoderOptions fromJson(Map<String, Object> json) {
        OptionFields f = new OptionFields(json);
        return new AutoencoderOptions(
                ImageSource.fromJson(f.map("data")),
                f.text("config"),
                f.integer("steps"),
                f.integer("batch"),
                f.number("learningRate"),
                f.integer("warmUpSteps"),
                f.number("emaDecay"),
                f.number("divergenceWeight"),
                Augmentation.fromJson(f.map("augmentation")),
                f.integer("microBatch"),
                f.longInteger("seed"));
    }
}
