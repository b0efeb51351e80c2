package org.sapwood.report;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.Json;
import org.sapwood.io.RunFolder;

/**
 * The files of a run, read once. A file that is missing reads as an empty one; nothing else of the folder's text is
 * looked at.
 *
 * @param folder of the run
 * @param run {@code run.json}
 * @param privacy {@code privacy.json}
 * @param metrics {@code metrics.json}
 * @param selection {@code selection.json}
 */
record RunFacts(
        RunFolder folder,
        Map<String, Object> run,
        Map<String, Object> privacy,
        Map<String, Object> metrics,
        Map<String, Object> selection) {
    private static final String SELECTION = "selection.json";

    /**
     * Reads them.
     *
     * @throws org.sapwood.io.UserException when one of them is no JSON object, naming it
     */
    static RunFacts read(RunFolder folder) {
        return new RunFacts(
                folder,
                Json.readObject(folder.runJson()),
                readIfThere(folder.privacyJson()),
                readIfThere(folder.metricsJson()),
                readIfThere(folder.path().resolve(SELECTION)));
    }

    private static Map<String, Object> readIfThere(Path file) {
        return Files.exists(file) ? Json.readObject(file) : Map.of();
    }

    /** The command that made the run. */
    String command() {
        return String.valueOf(run.get("command"));
    }

    /** Whether it trained on public images, about which nothing is claimed. */
    boolean isPublicRun() {
        return command().startsWith("pretrain");
    }

    /** Every option by name. */
    Map<?, ?> options() {
        return map(run.get("options"));
    }

    /** The section of {@code metrics.json} about the training. */
    Map<?, ?> training() {
        return map(metrics.get("training"));
    }

    /** The object in a field, empty where there is none. */
    static Map<?, ?> map(@Nullable Object value) {
        return value instanceof Map<?, ?> map ? map : Map.of();
    }

    /** The list in a field, empty where there is none. */
    static List<?> list(@Nullable Object value) {
        return value instanceof List<?> list ? list : List.of();
    }

    /** The method as its paper writes it, or what the command does. */
    String title() {
        if (isPublicRun()) {
            return command().equals("pretrain-autoencoder")
                    ? "Autoencoder trained on public images"
                    : "Pretraining on public images";
        }
        Object method = options().get("method");
        return switch (String.valueOf(method)) {
            case "DP_SAPF" -> "DP-SAPF";
            case "DP_LORA" -> "DP-LoRA";
            case "DP_DIFFUSION" -> "DP-Diffusion";
            case "DP_LDM" -> "DP-LDM";
            case "DPAF" -> "DPAF";
            case "NON_PRIVATE" -> "Non-private training";
            default -> method == null ? "Run of " + command() : Figures.optionName(String.valueOf(method));
        };
    }

    /** Where the training images came from, short: the last parts of the paths. */
    String dataName() {
        List<String> names = list(map(options().get("data")).get("locations")).stream()
                .map(RunFacts::lastPart)
                .toList();
        return String.join(" + ", names);
    }

    private static String lastPart(Object location) {
        String text = String.valueOf(location);
        return text.substring(text.lastIndexOf('/') + 1);
    }
}
