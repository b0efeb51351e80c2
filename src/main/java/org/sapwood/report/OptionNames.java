package org.sapwood.report;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the options in {@code run.json} are called on the command line, and which of them a method takes there: the
 * record holds all, the command line refuses those that would do nothing. {@code ReportCommandTest} holds this to the
 * command line itself.
 */
final class OptionNames {
    /** Names that are not the option's own with hyphens. */
    private static final Map<String, String> IRREGULAR = Map.of(
            "warmUpSteps", "--warm-up",
            "noiseSchedule", "--schedule",
            "model", "--config",
            "trainLabelEmbedder", "--train-label-embedding",
            "maxShift", "--shift",
            "divergenceWeight", "--kl-weight");

    /** Those of a GAN, where the plain names are taken by diffusion models. */
    private static final Map<String, String> OF_DPAF = Map.of(
            "learningRate", "--generator-learning-rate",
            "emaDecay", "--generator-ema-decay",
            "matching", "--feature-matching",
            "firstFeatures", "--conv1-features",
            "features", "--conv2-features");

    private static final String DPAF = "DPAF";
    private static final Set<String> PRIVATE_DIFFUSION = Set.of("DP_SAPF", "DP_LORA", "DP_DIFFUSION", "DP_LDM");

    /** The methods of options that not all of {@code train} have. */
    private static final Map<String, Set<String>> METHODS = methods();

    private OptionNames() {}

    private static Map<String, Set<String>> methods() {
        Map<String, Set<String>> methods = new HashMap<>();
        methods.put("delta", Set.of("DP_SAPF", "DP_LORA", "DP_DIFFUSION", "DP_LDM", DPAF));
        methods.put("epsilon", methods.get("delta"));
        for (String option :
                Set.of("clipNorm", "clipping", "augmentations", "timestepsPerImage", "labelGradientScale")) {
            methods.put(option, PRIVATE_DIFFUSION);
        }
        for (String option : Set.of("loraRank", "loraScale", "candidates", "selection")) {
            methods.put(option, Set.of("DP_SAPF", "DP_LORA"));
        }
        for (String option : Set.of("selectFraction", "selectionRate", "selectionNoise", "selectionDraws", "votes")) {
            methods.put(option, Set.of("DP_SAPF"));
        }
        methods.put("config", Set.of("DP_DIFFUSION", "NON_PRIVATE"));
        methods.put("trainLabelEmbedder", Set.of("DP_SAPF", "DP_LORA", "DP_LDM"));
        methods.put("firstTrainedBlock", Set.of("DP_LDM"));
        return methods;
    }

    /** Whether the run takes an option of this name, by its command and method. */
    static boolean applies(RunFacts facts, String option) {
        Set<String> methods = METHODS.get(option);
        return !facts.command().equals("train") || methods == null || methods.contains(method(facts));
    }

    /** The option on the command line; empty if the run takes none of this name. */
    static Optional<String> of(RunFacts facts, String option) {
        if (!applies(facts, option)) {
            return Optional.empty();
        }
        String special = method(facts).equals(DPAF) ? OF_DPAF.get(option) : null;
        return Optional.of(special != null ? special : IRREGULAR.getOrDefault(option, hyphenated(option)));
    }

    private static String method(RunFacts facts) {
        return String.valueOf(facts.options().get("method"));
    }

    private static String hyphenated(String option) {
        return "--" + option.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
    }
}
