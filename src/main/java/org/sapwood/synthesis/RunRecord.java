package org.sapwood.synthesis;

import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.Map;
import org.sapwood.io.HostFacts;
import org.sapwood.io.Json;
import org.sapwood.io.RunFolder;
import org.sapwood.io.UserException;

/** The JSON files of a run: what it was asked to do, where, and what came of it. */
public final class RunRecord {
    private RunRecord() {}

    /**
     * Writes {@code run.json}.
     *
     * @param command {@code train} or {@code pretrain}
     * @param options every option, enough to resume
     * @param facts further public facts, such as the backend
     */
    public static void write(RunFolder folder, String command, Map<String, Object> options, Map<String, Object> facts) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("command", command);
        json.put("options", options);
        json.putAll(facts);
        json.put("host", HostFacts.collect());
        folder.writeJson(folder.runJson(), json);
    }

    /**
     * The options in {@code run.json}.
     *
     * @param command what the run must be
     * @throws UserException if it is something else
     */
    @SuppressWarnings("unchecked") // a JSON object has string keys
    public static Map<String, Object> options(RunFolder folder, String command) {
        Map<String, Object> json = Json.readObject(folder.runJson());
        if (!command.equals(json.get("command")) || !(json.get("options") instanceof Map<?, ?> options)) {
            throw new UserException(folder.runJson() + " is not of a " + command + " run");
        }
        return (Map<String, Object>) options;
    }

    /** Changes how many images the run takes at a time, which is no part of its result; 0 for what suits the backend. */
    public static void setMicroBatch(RunFolder folder, int microBatch) {
        Map<String, Object> options = new LinkedHashMap<>(options(folder, command(folder)));
        options.put("microBatch", microBatch);
        Map<String, Object> json = new LinkedHashMap<>(Json.readObject(folder.runJson()));
        json.put("options", options);
        folder.writeJson(folder.runJson(), json);
    }

    /** The command in {@code run.json}, empty text if it has none. */
    public static String command(RunFolder folder) {
        return String.valueOf(Json.readObject(folder.runJson()).get("command"));
    }

    /** Replaces one section of {@code metrics.json} and keeps the others. */
    public static void putMetrics(RunFolder folder, String section, Map<String, Object> values) {
        Map<String, Object> json = new LinkedHashMap<>();
        if (Files.exists(folder.metricsJson())) {
            json.putAll(Json.readObject(folder.metricsJson()));
        }
        json.put(section, values);
        folder.writeJson(folder.metricsJson(), json);
    }
}
