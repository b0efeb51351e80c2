package org.sapwood.cli.compare;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.AtomicFiles;
import org.sapwood.io.IoReasons;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;

/**
 * What the comparison remembers of one cell beside its run folder: {@code cells/NAME.json}.
 *
 * @param identity by stage, its options and the folder in which their relative paths begin; a stage that is done is not
 *     mixed with others
 * @param resumed whether its training was killed once, so that its time is that of the last part
 * @param sampled whether all images were drawn
 * @param evaluated whether they were measured
 * @param failure why the last attempt failed, empty if it did not
 * @param process what works on it, empty for none
 */
record CellRecord(
        Map<String, Object> identity,
        boolean resumed,
        boolean sampled,
        boolean evaluated,
        String failure,
        Optional<Working> process) {

    /** A process, by its number and the time of its start: numbers are used again. */
    record Working(long pid, String started) {
        static Working of(ProcessHandle handle) {
            return new Working(handle.pid(), started(handle));
        }

        boolean isAlive() {
            return ProcessHandle.of(pid)
                    .filter(ProcessHandle::isAlive)
                    .filter(handle -> started(handle).equals(started))
                    .isPresent();
        }

        private static String started(ProcessHandle handle) {
            return handle.info().startInstant().map(Object::toString).orElse("unknown");
        }
    }

    static CellRecord begun(Cell cell) {
        return new CellRecord(identity(cell), false, false, false, "", Optional.empty());
    }

    /** What makes a cell what it is: the options of each command, and the folder in which relative paths begin. */
    static Map<String, Object> identity(Cell cell) {
        Map<String, Object> identity = new LinkedHashMap<>();
        String directory = Path.of("").toAbsolutePath().toString();
        for (Stage stage : Stage.values()) {
            List<String> words = new ArrayList<>(cell.words(stage));
            words.addFirst(directory + "$");
            identity.put(stage.text(), words);
        }
        return identity;
    }

    /** With the cell's options for stages that are not done yet; a stage that is done keeps what it was done with. */
    CellRecord adopting(Cell cell, boolean begun) {
        Map<String, Object> adopted = identity(cell);
        for (Stage stage : Stage.values()) {
            Object before = identity.get(stage.text());
            if (before != null && isDone(stage, begun)) {
                adopted.put(stage.text(), before);
            }
        }
        return new CellRecord(adopted, resumed, sampled, evaluated, failure, process);
    }

    /** Whether a stage is done, or begun as far as it spends budget, so that its command cannot be another any more. */
    boolean isDone(Stage stage, boolean begun) {
        return switch (stage) {
            case TRAIN -> begun;
            case SAMPLE -> sampled;
            case EVALUATE -> evaluated;
        };
    }

    CellRecord withResumed() {
        return new CellRecord(identity, true, sampled, evaluated, failure, process);
    }

    CellRecord withSampled() {
        return new CellRecord(identity, resumed, true, false, failure, process);
    }

    CellRecord withEvaluated() {
        return new CellRecord(identity, resumed, sampled, true, failure, process);
    }

    CellRecord withFailure(String reason) {
        return new CellRecord(identity, resumed, sampled, evaluated, reason, process);
    }

    CellRecord withProcess(Optional<Working> working) {
        return new CellRecord(identity, resumed, sampled, evaluated, failure, working);
    }

    /** Writes it atomically. */
    void write(Path file) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("identity", identity);
        json.put("resumed", resumed);
        json.put("sampled", sampled);
        json.put("evaluated", evaluated);
        json.put("failure", failure);
        json.put("process", process.orElse(null));
        try {
            AtomicFiles.write(file, Json.pretty(json).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UserException(IoReasons.of(e), e);
        }
    }

    /**
     * Reads it, empty where there is none.
     *
     * @throws UserException when the file is not what {@link #write} wrote
     */
    @SuppressWarnings("unchecked") // a JSON object has string keys
    static Optional<CellRecord> read(Path file) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        Map<String, Object> json = Json.readObject(file);
        if (!(json.get("identity") instanceof Map<?, ?> identity)
                || !(json.get("sampled") instanceof Boolean sampled)
                || !(json.get("evaluated") instanceof Boolean evaluated)) {
            throw new UserException(file + " is no record of a cell; delete the comparison's folder or choose another");
        }
        Optional<Working> process = json.get("process") instanceof Map<?, ?> map
                ? Optional.of(new Working(
                        (long) Json.number(map.get("pid"), file + ": process.pid"), String.valueOf(map.get("started"))))
                : Optional.empty();
        return Optional.of(new CellRecord(
                (Map<String, Object>) identity,
                Boolean.TRUE.equals(json.get("resumed")),
                sampled,
                evaluated,
                String.valueOf(json.get("failure")),
                process));
    }
}
