package org.sapwood.synthesis;

import java.lang.reflect.RecordComponent;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.sapwood.data.ImageSource;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.io.UserException;

/**
 * Everything that decides what a training run does, so that {@code run.json} can hold it and {@code resume} go on.
 * Defaults and their reasons are in docs/methods.md.
 *
 * @param method which weights train, and whether privately
 * @param publicModel path of the public model
 * @param data the sensitive images
 * @param epsilon target ε > 0; unused by a non-private run
 * @param delta target δ in (0, 1), empty for 1/(N·ln N)
 * @param batch expected batch size B ≥ 1; the sampling rate is B/N
 * @param steps T ≥ 1
 * @param augmentations K ≥ 1, draws per example and step, averaged before the clip
 * @param clipNorm C > 0
 * @param clipping how a gradient is bounded
 * @param learningRate of Adam, > 0
 * @param labelLearningRate of Adam for the label embedder, > 0
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
 * @param augmentation of the images
 * @param labelDropout share of draws without label, in [0, 1]
 * @param timesteps distribution of training timesteps, as {@code TimestepSampler} parses it; empty text for uniform
 * @param noiseSchedule name of the noise schedule
 * @param microBatch examples per worker at a time, ≥ 1
 * @param seed empty for cryptographic randomness; a seed makes the run reproducible and not private
 */
public record TrainOptions(
        Method method,
        String publicModel,
        ImageSource data,
        double epsilon,
        OptionalDouble delta,
        int batch,
        int steps,
        int augmentations,
        double clipNorm,
        Clipping clipping,
        double learningRate,
        double labelLearningRate,
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
        Augmentation augmentation,
        double labelDropout,
        String timesteps,
        String noiseSchedule,
        int microBatch,
        OptionalLong seed) {

    /** How a per-example gradient is bounded. */
    public enum Clipping {
        FLAT,
        LAYER_WISE,
        AUTOMATIC
    }

    public TrainOptions {
        require(!method.isPrivate() || epsilon > 0 && Double.isFinite(epsilon), "--epsilon must be > 0", epsilon);
        delta.ifPresent(d -> require(d > 0 && d < 1, "--delta must be in (0, 1) or auto", d));
        require(batch >= 1, "--batch must be >= 1", batch);
        require(steps >= 1, "--steps must be >= 1", steps);
        require(augmentations >= 1, "--augmentations must be >= 1", augmentations);
        require(clipNorm > 0 && Double.isFinite(clipNorm), "--clip-norm must be > 0", clipNorm);
        require(learningRate > 0 && Double.isFinite(learningRate), "--learning-rate must be > 0", learningRate);
        require(
                labelLearningRate > 0 && Double.isFinite(labelLearningRate),
                "--label-learning-rate must be > 0",
                labelLearningRate);
        require(warmUpSteps >= 0, "--warm-up must be >= 0", warmUpSteps);
        require(emaDecay >= 0 && emaDecay < 1, "--ema-decay must be in [0, 1)", emaDecay);
        require(loraRank >= 1, "--lora-rank must be >= 1", loraRank);
        require(loraScale > 0 && Double.isFinite(loraScale), "--lora-scale must be > 0", loraScale);
        require(selectFraction > 0 && selectFraction <= 1, "--select-fraction must be in (0, 1]", selectFraction);
        selectionRate.ifPresent(q -> require(q > 0 && q <= 1, "--selection-rate must be in (0, 1] or auto", q));
        selectionNoise.ifPresent(s -> require(s > 0 && Double.isFinite(s), "--selection-noise must be > 0 or auto", s));
        require(selectionDraws >= 1, "--selection-draws must be >= 1", selectionDraws);
        require(votes >= 1, "--votes must be >= 1", votes);
        require(labelDropout >= 0 && labelDropout <= 1, "--label-dropout must be in [0, 1]", labelDropout);
        require(microBatch >= 1, "--micro-batch must be >= 1", microBatch);
        NoiseSchedule.named(noiseSchedule);
    }

    private static void require(boolean condition, String expectation, Object value) {
        if (!condition) {
            throw new UserException(expectation + ", got " + value);
        }
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
            throw new AssertionError("accessors of a public record are public", e);
        }
    }

    private static Object jsonOf(Object value) {
        return switch (value) {
            case OptionalDouble d -> d.isPresent() ? (Object) d.getAsDouble() : AUTO;
            case OptionalLong l -> l.isPresent() ? (Object) l.getAsLong() : AUTO;
            case ImageSource source -> source.toJson();
            case Augmentation a -> Map.of("maxShift", a.maxShift(), "flip", a.flip());
            case Enum<?> e -> e.name();
            default -> value;
        };
    }

    private static final String AUTO = "auto";

    /**
     * The options that {@link #toJson} wrote.
     *
     * @throws UserException naming the option that is missing or malformed
     */
    public static TrainOptions fromJson(Map<String, Object> json) {
        Fields f = new Fields(json);
        Map<?, ?> augmentation = f.map("augmentation");
        return new TrainOptions(
                Method.valueOf(f.text("method")),
                f.text("publicModel"),
                ImageSource.fromJson(f.map("data")),
                f.number("epsilon"),
                f.optionalNumber("delta"),
                f.integer("batch"),
                f.integer("steps"),
                f.integer("augmentations"),
                f.number("clipNorm"),
                Clipping.valueOf(f.text("clipping")),
                f.number("learningRate"),
                f.number("labelLearningRate"),
                f.integer("warmUpSteps"),
                f.number("emaDecay"),
                f.integer("loraRank"),
                f.number("loraScale"),
                CandidateSet.valueOf(f.text("candidates")),
                SelectionRule.valueOf(f.text("selection")),
                f.number("selectFraction"),
                f.optionalNumber("selectionRate"),
                f.optionalNumber("selectionNoise"),
                f.integer("selectionDraws"),
                f.integer("votes"),
                f.flag("trainLabelEmbedder"),
                new Augmentation(
                        ((Number) augmentation.get("maxShift")).intValue(),
                        Boolean.TRUE.equals(augmentation.get("flip"))),
                f.number("labelDropout"),
                f.text("timesteps"),
                f.text("noiseSchedule"),
                f.integer("microBatch"),
                f.optionalInteger("seed"));
    }

    /** The name of an enum constant on the command line, such as {@code layer-wise}. */
    public static String text(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Typed reads of a JSON object that name the field at fault. */
    private record Fields(Map<String, Object> json) {
        private Object get(String name) {
            Object value = json.get(name);
            if (value == null) {
                throw new UserException("run.json: option " + name + " is missing; was this run made by another version?");
            }
            return value;
        }

        String text(String name) {
            return get(name).toString();
        }

        double number(String name) {
            if (get(name) instanceof Number n) {
                return n.doubleValue();
            }
            throw new UserException("run.json: option " + name + " must be a number, got " + get(name));
        }

        int integer(String name) {
            return (int) number(name);
        }

        OptionalDouble optionalNumber(String name) {
            return get(name).equals(AUTO) ? OptionalDouble.empty() : OptionalDouble.of(number(name));
        }

        OptionalLong optionalInteger(String name) {
            return get(name) instanceof Number n ? OptionalLong.of(n.longValue()) : OptionalLong.empty();
        }

        boolean flag(String name) {
            return Boolean.TRUE.equals(get(name));
        }

        Map<?, ?> map(String name) {
            if (get(name) instanceof Map<?, ?> map) {
                return map;
            }
            throw new UserException("run.json: option " + name + " must be an object, got " + get(name));
        }
    }
}
