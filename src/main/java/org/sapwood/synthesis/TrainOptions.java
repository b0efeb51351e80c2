package org.sapwood.synthesis;

import java.lang.reflect.RecordComponent;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.sapwood.data.ImageSource;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.io.UserException;

/**
 * Everything that decides what a training run does, so that {@code run.json} can hold it and {@code resume} go on.
 * Defaults and their reasons are in docs/methods.md.
 *
 * @param method which weights train, and whether privately
 * @param publicModel path of the public model, or {@link #NO_PUBLIC_MODEL} to start from random weights
 * @param config configuration of a model from random weights, as {@code pretrain --config} takes it; else empty
 * @param data the sensitive images
 * @param epsilon target ε > 0; unused by a non-private run
 * @param delta target δ in (0, 1), empty for 1/(N·ln N)
 * @param batch expected batch size B ≥ 1; the sampling rate is B/N
 * @param steps T ≥ 1
 * @param augmentations changed copies of an example per step, ≥ 1
 * @param timestepsPerImage timesteps, each with noise of its own, of every changed copy, ≥ 1; the gradients of all K =
 *     augmentations · timestepsPerImage draws are averaged before the one clip
 * @param clipNorm C > 0
 * @param clipping how a gradient is bounded
 * @param learningRate of Adam, > 0
 * @param labelLearningRate of Adam for the label embedder, > 0
 * @param labelGradientScale power of two ≥ 1 by which the label embedder's gradient is multiplied before the clip, so
 *     that it has a share in the clipped norm; changes no weight's meaning, since Adam does not see scales; empty for
 *     the one that gives it about half
 * @param warmUpSteps steps of linearly rising learning rate, ≥ 0
 * @param emaDecay of the averaged weights, in [0, 1)
 * @param loraRank r ≥ 1
 * @param loraScale s of W + s·B·A, > 0
 * @param candidates matrices that may be adapted
 * @param selection how the adapted ones are chosen among them
 * @param selectFraction c in (0, 1], share of candidates kept
 * @param selectionRate q_s in (0, 1], Poisson rate of the saliency query; empty for the training rate B/N
 * @param selectionNoise σ_s > 0, empty for the smallest that costs at most 3 % more training noise
 * @param selectionDraws draws per example in the saliency query, ≥ 1
 * @param votes v ≥ 1, matrices that each example votes for
 * @param trainLabelEmbedder whether the label embedder trains along with the adapters
 * @param firstTrainedBlock b ≥ 0: DP-LDM trains the transformer blocks with index ≥ b
 * @param augmentation of the images
 * @param labelDropout share of draws without label, in [0, 1]
 * @param timesteps distribution of training timesteps, as {@code TimestepSampler} parses it; empty text for uniform
 * @param noiseSchedule name of the noise schedule
 * @param microBatch images per worker at a time, or 0 for what suits the backend
 * @param seed empty for cryptographic randomness; a seed makes the run reproducible and not private
 */
public record TrainOptions(
        Method method,
        String publicModel,
        String config,
        ImageSource data,
        double epsilon,
        OptionalDouble delta,
        int batch,
        int steps,
        int augmentations,
        int timestepsPerImage,
        double clipNorm,
        Clipping clipping,
        double learningRate,
        double labelLearningRate,
        OptionalInt labelGradientScale,
        int warmUpSteps,
        double emaDecay,
        int loraRank,
        double loraScale,
        CandidateSet candidates,
        SelectionRule selection,
        double selectFraction,
        OptionalDouble selectionRate,
        OptionalDouble selectionNoise,
        int selectionDraws,
        int votes,
        boolean trainLabelEmbedder,
        int firstTrainedBlock,
        Augmentation augmentation,
        double labelDropout,
        String timesteps,
        String noiseSchedule,
        int microBatch,
        OptionalLong seed) {

    /** In place of the path of a public model: random weights. */
    public static final String NO_PUBLIC_MODEL = "none";

    /** How a per-example gradient is bounded. */
    public enum Clipping {
        FLAT,
        LAYER_WISE,
        AUTOMATIC
    }

    public TrainOptions {
        if (method == Method.DPAF) {
            throw new IllegalArgumentException("DPAF trains no diffusion model and has options of its own");
        }
        if (method != Method.DP_SAPF) {
            selection = SelectionRule.ALL;
        }
        boolean scratch = publicModel.equals(NO_PUBLIC_MODEL);
        OptionChecks.require(
                !scratch || method == Method.DP_DIFFUSION || method == Method.NON_PRIVATE,
                "--public-model none needs a method that trains every weight, dp-diffusion or non-private",
                method.text());
        OptionChecks.require(
                scratch != config.isEmpty(),
                "--config goes with --public-model none, and only with it; --public-model",
                publicModel);
        OptionChecks.require(
                !method.isPrivate() || (epsilon > 0 && Double.isFinite(epsilon)), "--epsilon must be > 0", epsilon);
        delta.ifPresent(d -> OptionChecks.require(d > 0 && d < 1, "--delta must be in (0, 1) or auto", d));
        OptionChecks.atLeast("--batch", batch, 1);
        OptionChecks.atLeast("--steps", steps, 1);
        OptionChecks.atLeast("--augmentations", augmentations, 1);
        OptionChecks.atLeast("--timesteps-per-image", timestepsPerImage, 1);
        OptionChecks.atLeast("--first-trained-block", firstTrainedBlock, 0);
        OptionChecks.positive("--clip-norm", clipNorm);
        OptionChecks.positive("--learning-rate", learningRate);
        OptionChecks.positive("--label-learning-rate", labelLearningRate);
        labelGradientScale.ifPresent(scale -> OptionChecks.require(
                scale >= 1 && Integer.bitCount(scale) == 1,
                "--label-gradient-scale must be a power of two >= 1 or auto",
                scale));
        OptionChecks.atLeast("--warm-up", warmUpSteps, 0);
        OptionChecks.decay("--ema-decay", emaDecay);
        OptionChecks.atLeast("--lora-rank", loraRank, 1);
        OptionChecks.positive("--lora-scale", loraScale);
        OptionChecks.positiveShare("--select-fraction", selectFraction);
        selectionRate.ifPresent(q -> OptionChecks.positiveShare("--selection-rate", q));
        selectionNoise.ifPresent(s -> OptionChecks.positive("--selection-noise", s));
        OptionChecks.atLeast("--selection-draws", selectionDraws, 1);
        OptionChecks.atLeast("--votes", votes, 1);
        OptionChecks.share("--label-dropout", labelDropout);
        OptionChecks.atLeast("--micro-batch", microBatch, 0);
        NoiseSchedule.named(noiseSchedule);
    }

    /** K, the draws of an example whose gradients are averaged. */
    public int draws() {
        return Math.multiplyExact(augmentations, timestepsPerImage);
    }

    /** Whether the run starts from random weights. */
    public boolean fromScratch() {
        return publicModel.equals(NO_PUBLIC_MODEL);
    }

    /** Every component by name, readable and complete. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        for (RecordComponent component : TrainOptions.class.getRecordComponents()) {
            json.put(component.getName(), jsonOf(componentValue(component)));
        }
        return json;
    }

    private Object componentValue(RecordComponent component) {
        try {
            return component.getAccessor().invoke(this);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("accessors of a public record are public", e);
        }
    }

    private static Object jsonOf(Object value) {
        return switch (value) {
            case OptionalDouble d -> d.isPresent() ? (Object) d.getAsDouble() : OptionFields.AUTO;
            case OptionalInt i -> i.isPresent() ? (Object) i.getAsInt() : OptionFields.AUTO;
            case OptionalLong l -> l.isPresent() ? (Object) l.getAsLong() : OptionFields.AUTO;
            case ImageSource source -> source.toJson();
            case Augmentation a -> a.toJson();
            case Enum<?> e -> e.name();
            default -> value;
        };
    }

    /**
     * The options that {@link #toJson} wrote.
     *
     * @throws UserException naming the option that is missing or malformed
     */
    public static TrainOptions fromJson(Map<String, Object> json) {
        OptionFields f = new OptionFields(json);
        return new TrainOptions(
                f.constant("method", Method.class),
                f.text("publicModel"),
                f.text("config"),
                ImageSource.fromJson(f.map("data")),
                f.number("epsilon"),
                f.optionalNumber("delta"),
                f.integer("batch"),
                f.integer("steps"),
                f.integer("augmentations"),
                f.integer("timestepsPerImage"),
                f.number("clipNorm"),
                f.constant("clipping", Clipping.class),
                f.number("learningRate"),
                f.number("labelLearningRate"),
                f.optionalInt("labelGradientScale"),
                f.integer("warmUpSteps"),
                f.number("emaDecay"),
                f.integer("loraRank"),
                f.number("loraScale"),
                f.constant("candidates", CandidateSet.class),
                f.constant("selection", SelectionRule.class),
                f.number("selectFraction"),
                f.optionalNumber("selectionRate"),
                f.optionalNumber("selectionNoise"),
                f.integer("selectionDraws"),
                f.integer("votes"),
                f.flag("trainLabelEmbedder"),
                f.integer("firstTrainedBlock"),
                Augmentation.fromJson(f.map("augmentation")),
                f.number("labelDropout"),
                f.text("timesteps"),
                f.text("noiseSchedule"),
                f.integer("microBatch"),
                f.optionalInteger("seed"));
    }
}
