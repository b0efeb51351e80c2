package org.sapwood.cli;

import java.lang.reflect.Field;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.sapwood.synthesis.Method;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;

/** Which options of {@code train} belong to which methods, so that one that would do nothing is refused. */
final class MethodScope {
    private static final Set<Method> SELECTING = EnumSet.of(Method.DP_SAPF);
    private static final Set<Method> ADAPTING = EnumSet.of(Method.DP_SAPF, Method.DP_LORA);
    private static final Set<Method> DIFFUSION = EnumSet.complementOf(EnumSet.of(Method.DPAF));
    private static final Set<Method> PRIVATE_DIFFUSION =
            EnumSet.of(Method.DP_SAPF, Method.DP_LORA, Method.DP_DIFFUSION, Method.DP_LDM);

    /** The methods of every option that not all methods have. */
    private static final Map<String, Set<Method>> SCOPES = scopes();

    private MethodScope() {}

    private static Map<String, Set<Method>> scopes() {
        Map<String, Set<Method>> scopes = new HashMap<>();
        put(
                scopes,
                EnumSet.allOf(Method.class).stream().filter(Method::isPrivate).collect(Collectors.toSet()),
                "--epsilon",
                "--delta");
        put(
                scopes,
                DIFFUSION,
                "--public-model",
                "--learning-rate",
                "--label-learning-rate",
                "--warm-up",
                "--ema-decay");
        put(scopes, DIFFUSION, "--micro-batch", "--schedule", "--timesteps", "--label-dropout", "--shift", "--flip");
        put(scopes, PRIVATE_DIFFUSION, "--clip-norm", "--clipping", "--augmentations", "--timesteps-per-image");
        put(scopes, PRIVATE_DIFFUSION, "--label-gradient-scale", "--explain");
        put(scopes, EnumSet.of(Method.DP_DIFFUSION, Method.NON_PRIVATE), "--config");
        put(scopes, ADAPTING, "--lora-rank", "--lora-scale", "--candidates");
        put(scopes, EnumSet.of(Method.DP_SAPF, Method.DP_LORA, Method.DP_LDM), "--train-label-embedding");
        put(scopes, ADAPTING, "--selection");
        put(scopes, SELECTING, "--select-fraction", "--selection-rate", "--selection-noise", "--selection-draws");
        put(scopes, SELECTING, "--votes");
        put(scopes, EnumSet.of(Method.DP_LDM), "--first-trained-block");
        for (Field field : DpafOptionsGroup.class.getDeclaredFields()) {
            Option option = field.getAnnotation(Option.class);
            if (option != null) {
                put(scopes, EnumSet.of(Method.DPAF), option.names());
            }
        }
        return scopes;
    }

    private static void put(Map<String, Set<Method>> scopes, Set<Method> methods, String... options) {
        for (String option : options) {
            scopes.put(option, methods);
        }
    }

    /** Refuses options on the command line that {@code method} does not have. */
    static void check(ParseResult parsed, Method method, OptionCheck check) {
        for (OptionSpec option : parsed.matchedOptions()) {
            Set<Method> methods = SCOPES.getOrDefault(option.longestName(), EnumSet.allOf(Method.class));
            if (!methods.contains(method)) {
                throw check.error(option.longestName() + " does not apply to --method " + method.text()
                        + ", only to "
                        + methods.stream().sorted().map(Method::text).collect(Collectors.joining(", "))
                        + "; leave it out");
            }
        }
    }
}
