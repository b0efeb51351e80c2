package org.sapwood.synthesis.dpaf;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.sapwood.data.ImageSource;
import org.sapwood.io.UserException;
import org.sapwood.nn.GanConfig;
import org.sapwood.synthesis.Method;
import org.sapwood.synthesis.OptionChecks;
import org.sapwood.synthesis.OptionFields;

/**
 * Everything that decides what a DPAF run does, so that {@code run.json} can hold it and {@code resume} go on. Defaults
 * and their reasons are in docs/dpaf.md.
 *
 * @param data the sensitive images
 * @param epsilon target ε > 0
 * @param delta target δ in (0, 1), empty for 1/(N·ln N)
 * @param batch expected batch size B ≥ 1 of an aggregate over all classes; the sampling rate is B/N. 0 for all images
 * @param steps T ≥ 1, aggregates asked for
 * @param conv2Every μ ≥ 1, aggregates between two steps of conv2; 0 leaves conv2 as it is initialised
 * @param conv2Batch expected batch size of a step of conv2; 0 for μ·B, but no more than all images
 * @param conv2Share in (0, 1), part of ε that the steps of conv2 would cost by themselves
 * @param conv2ClipNorm C₂ > 0
 * @param conv2LearningRate of Adam for conv2, > 0
 * @param rounds ≥ 1, updates of generator and upper discriminator after each aggregate
 * @param generated even, ≥ 2, images generated of a class in a round
 * @param learningRate of Adam for the generator, > 0
 * @param headLearningRate of Adam for conv3 and FC, > 0
 * @param matching ≥ 0, weight of feature matching beside the adversarial loss, whose weight is 1
 * @param emaDecay of the generator's averaged weights, in [0, 1)
 * @param latent length of z
 * @param generatorWidth see {@link GanConfig}
 * @param firstFeatures channels after conv1
 * @param features m, channels after conv2
 * @param headWidth channels after conv3
 * @param seed empty for cryptographic randomness; a seed makes the run reproducible and not private
 */
public record DpafOptions(
        ImageSource data,
        double epsilon,
        OptionalDouble delta,
        int batch,
        int steps,
        int conv2Every,
        int conv2Batch,
        double conv2Share,
        double conv2ClipNorm,
        double conv2LearningRate,
        int rounds,
        int generated,
        double learningRate,
        double headLearningRate,
        double matching,
        double emaDecay,
        int latent,
        int generatorWidth,
        int firstFeatures,
        int features,
        int headWidth,
        OptionalLong seed) {

    /**
     * Checks every option.
     *
     * @throws UserException naming the first one out of range
     */
    public DpafOptions {
        OptionChecks.positive("--epsilon", epsilon);
        delta.ifPresent(d -> OptionChecks.require(d > 0 && d < 1, "--delta must be in (0, 1) or auto", d));
        OptionChecks.atLeast("--batch", batch, 0);
        OptionChecks.atLeast("--steps", steps, 1);
        OptionChecks.atLeast("--conv2-every", conv2Every, 0);
        OptionChecks.atLeast("--conv2-batch", conv2Batch, 0);
        OptionChecks.require(
                conv2Share > 0 && conv2Share < 1, "--conv2-share must be in (0, 1), exclusive", conv2Share);
        OptionChecks.positive("--conv2-clip-norm", conv2ClipNorm);
        OptionChecks.positive("--conv2-learning-rate", conv2LearningRate);
        OptionChecks.atLeast("--rounds", rounds, 1);
        OptionChecks.require(
                generated >= 2 && generated % 2 == 0, "--generated must be an even number >= 2", generated);
        OptionChecks.positive("--generator-learning-rate", learningRate);
        OptionChecks.positive("--head-learning-rate", headLearningRate);
        OptionChecks.require(matching >= 0 && Double.isFinite(matching), "--feature-matching must be >= 0", matching);
        OptionChecks.decay("--generator-ema-decay", emaDecay);
    }

    /** The GAN of this run for given images. */
    GanConfig config(int imageSize, int channels, int classes) {
        return new GanConfig(imageSize, channels, classes, latent, generatorWidth, firstFeatures, features, headWidth);
    }

    /**
     * The same options with the batch sizes that were left open: constants from then on, which {@code run.json} holds.
     *
     * @param population number of sensitive images
     */
    DpafOptions withBatchesOf(int population) {
        int aggregates = batch > 0 ? batch : population;
        long several = (long) Math.max(1, conv2Every) * aggregates;
        int gradients = conv2Batch > 0 ? conv2Batch : (int) Math.min(population, several);
        return new DpafOptions(
                data,
                epsilon,
                delta,
                aggregates,
                steps,
                conv2Every,
                gradients,
                conv2Share,
                conv2ClipNorm,
                conv2LearningRate,
                rounds,
                generated,
                learningRate,
                headLearningRate,
                matching,
                emaDecay,
                latent,
                generatorWidth,
                firstFeatures,
                features,
                headWidth,
                seed);
    }

    /** How many steps of conv2 there are: one after every μ aggregates, as long as an aggregate follows. */
    int conv2Steps() {
        return conv2Every == 0 ? 0 : (steps - 1) / conv2Every;
    }

    /** Every option by name, readable and complete. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("method", Method.DPAF.name());
        json.put("data", data.toJson());
        json.put("epsilon", epsilon);
        json.put("delta", delta.isPresent() ? (Object) delta.getAsDouble() : OptionFields.AUTO);
        json.put("batch", batch);
        json.put("steps", steps);
        json.put("conv2Every", conv2Every);
        json.put("conv2Batch", conv2Batch);
        json.put("conv2Share", conv2Share);
        json.put("conv2ClipNorm", conv2ClipNorm);
        json.put("conv2LearningRate", conv2LearningRate);
        json.put("rounds", rounds);
        json.put("generated", generated);
        json.put("learningRate", learningRate);
        json.put("headLearningRate", headLearningRate);
        json.put("matching", matching);
        json.put("emaDecay", emaDecay);
        json.put("latent", latent);
        json.put("generatorWidth", generatorWidth);
        json.put("firstFeatures", firstFeatures);
        json.put("features", features);
        json.put("headWidth", headWidth);
        json.put("seed", seed.isPresent() ? (Object) seed.getAsLong() : OptionFields.AUTO);
        return json;
    }

    /**
     * The options that {@link #toJson} wrote.
     *
     * @throws UserException naming the option that is missing or malformed
     */
    public static DpafOptions fromJson(Map<String, Object> json) {
        OptionFields f = new OptionFields(json);
        return new DpafOptions(
                ImageSource.fromJson(f.map("data")),
                f.number("epsilon"),
                f.optionalNumber("delta"),
                f.integer("batch"),
                f.integer("steps"),
                f.integer("conv2Every"),
                f.integer("conv2Batch"),
                f.number("conv2Share"),
                f.number("conv2ClipNorm"),
                f.number("conv2LearningRate"),
                f.integer("rounds"),
                f.integer("generated"),
                f.number("learningRate"),
                f.number("headLearningRate"),
                f.number("matching"),
                f.number("emaDecay"),
                f.integer("latent"),
                f.integer("generatorWidth"),
                f.integer("firstFeatures"),
                f.integer("features"),
                f.integer("headWidth"),
                f.optionalInteger("seed"));
    }
}
