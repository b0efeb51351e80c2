package org.sapwood.nn;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;

/**
 * Diffusers' {@code scheduler_config.json}, of which the noise schedule and what the model predicts count here: a model
 * trained for another of either loads all the same, and draws noise. How diffusers would sample does not matter.
 */
final class DiffusersScheduler {
    private static final String FILE = "scheduler_config.json";
    private static final String FOLDER = "scheduler";
    private static final String UNET = "unet";

    /** The first and last β of the linear schedule over {@link #STEPS} steps. */
    private static final double FIRST_BETA = 1e-4;

    private static final double LAST_BETA = 2e-2;
    private static final int STEPS = 1000;

    private DiffusersScheduler() {}

    /**
     * The noise schedule of the model whose weights stand in {@code folder}.
     *
     * @param folder of a model with its scheduler beside it, or the {@code unet} folder of a pipeline
     * @return such as {@code linear} or {@code cosine:4000}; empty where there is no such file
     * @throws UserException naming the file and the option that is not supported
     */
    static Optional<String> noiseSchedule(Path folder) {
        boolean ofPipeline = folder.endsWith(UNET);
        Path file = (ofPipeline ? folder.resolveSibling(FOLDER) : folder).resolve(FILE);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        Map<String, Object> json = Json.readObject(file);
        require(file, json, "prediction_type", "epsilon");
        require(file, json, "rescale_betas_zero_snr", false);
        if (json.get("trained_betas") != null) {
            throw new UserException(file + ": option trained_betas is not supported, only null");
        }
        int steps = new ConfigOptions("model", json).integer("num_train_timesteps", STEPS);
        Object schedule = json.getOrDefault("beta_schedule", "none");
        String name = switch (String.valueOf(schedule)) {
            case "linear" -> {
                require(file, json, "num_train_timesteps", STEPS);
                require(file, json, "beta_start", FIRST_BETA);
                require(file, json, "beta_end", LAST_BETA);
                yield "linear";
            }
            case "squaredcos_cap_v2" -> "cosine";
            default ->
                throw new UserException(file + ": option beta_schedule = " + schedule
                        + " is not supported, only linear and squaredcos_cap_v2");
        };
        return Optional.of(steps == STEPS ? name : name + ":" + steps);
    }

    /** Refuses a value other than {@code supported}, which is diffusers' default as well. */
    private static void require(Path file, Map<String, Object> json, String option, Object supported) {
        Object value = json.getOrDefault(option, supported);
        boolean same = (value instanceof Number a && supported instanceof Number b)
                ? a.doubleValue() == b.doubleValue()
                : supported.equals(value);
        if (!same) {
            throw new UserException(
                    file + ": option " + option + " = " + value + " is not supported, only " + supported);
        }
    }
}
