package org.sapwood.synthesis;

import java.util.LinkedHashMap;
import java.util.Map;
import org.sapwood.data.ImageSource;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.io.UserException;

/**
 * Everything that decides what a pretraining run on public images does. Defaults and their reasons are in
 * docs/methods.md.
 *
 * @param data the public images
 * @param model {@code unet28}, {@code unet32} or the path of a diffusers config.json; the number of class embeddings is
 *     set from the data
 * @param autoencoder path of the autoencoder on whose latents the model works; empty for a model of pixels
 * @param steps updates, ≥ 1
 * @param batch images per update, ≥ 1
 * @param learningRate of Adam, > 0
 * @param warmUpSteps updates over which the learning rate rises, ≥ 0
 * @param emaDecay of the averaged weights, in [0, 1)
 * @param labelDropout share of draws without label, in [0, 1]
 * @param augmentation of the images
 * @param noiseSchedule name of the noise schedule
 * @param microBatch images per worker at a time, or 0 for what suits the backend
 * @param seed of everything
 */
public record PretrainOptions(
        ImageSource data,
        String model,
        String autoencoder,
        int steps,
        int batch,
        double learningRate,
        int warmUpSteps,
        double emaDecay,
        double labelDropout,
        Augmentation augmentation,
        String noiseSchedule,
        int microBatch,
        long seed) {

    public PretrainOptions {
        OptionChecks.atLeast("--steps", steps, 1);
        OptionChecks.atLeast("--batch", batch, 1);
        OptionChecks.positive("--learning-rate", learningRate);
        OptionChecks.atLeast("--warm-up", warmUpSteps, 0);
        OptionChecks.share("--label-dropout", labelDropout);
        OptionChecks.decay("--ema-decay", emaDecay);
        OptionChecks.atLeast("--micro-batch", microBatch, 0);
        NoiseSchedule.named(noiseSchedule);
    }

    /** Every option by name. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("data", data.toJson());
        json.put("model", model);
        json.put("autoencoder", autoencoder);
        json.put("steps", steps);
        json.put("batch", batch);
        json.put("learningRate", learningRate);
        json.put("warmUpSteps", warmUpSteps);
        json.put("emaDecay", emaDecay);
        json.put("labelDropout", labelDropout);
        json.put("augmentation", augmentation.toJson());
        json.put("noiseSchedule", noiseSchedule);
        json.put("microBatch", microBatch);
        json.put("seed", seed);
        return json;
    }

    /**
     * The options that {@link #toJson} wrote.
     *
     * @throws UserException naming the option that is missing or malformed
     */
    public static PretrainOptions fromJson(Map<String, Object> json) {
        OptionFields f = new OptionFields(json);
        return new PretrainOptions(
                ImageSource.fromJson(f.map("data")),
                f.text("model"),
                f.text("autoencoder"),
                f.integer("steps"),
                f.integer("batch"),
                f.number("learningRate"),
                f.integer("warmUpSteps"),
                f.number("emaDecay"),
                f.number("labelDropout"),
                Augmentation.fromJson(f.map("augmentation")),
                f.text("noiseSchedule"),
                f.integer("microBatch"),
                f.longInteger("seed"));
    }
}
