package org.sapwood.cli.compare;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.sapwood.io.IoReasons;
import org.sapwood.io.UserException;

/** Takes one cell from where it is to its end. */
final class CellRun {
    private static final String ERROR = "sapwood: ";

    private final CellFolder folder;
    private final Launcher launcher;
    private final Map<String, String> machine;
    private CellRecord record;

    /**
     * A cell to be run.
     *
     * @param machine options such as {@code threads} for every command that is not given them by the spec
     */
    CellRun(CellFolder folder, Launcher launcher, Map<String, String> machine) {
        this.folder = folder;
        this.launcher = launcher;
        this.machine = machine;
        this.record = folder.record().adopting(folder.cell(), folder.isBegun());
    }

    /**
     * Runs what is missing.
     *
     * @return why it failed, empty when the cell is complete
     * @throws UserException when the whole comparison was told to end
     */
    Optional<String> run() throws InterruptedException {
        keep(record.withFailure(""));
        Optional<String> failure = train();
        if (failure.isEmpty() && !record.sampled()) {
            folder.discardImages();
            failure = execute(Stage.SAMPLE.text(), command(Stage.SAMPLE));
            if (failure.isEmpty()) {
                keep(record.withSampled());
            }
        }
        if (failure.isEmpty() && !record.evaluated()) {
            failure = execute(Stage.EVALUATE.text(), command(Stage.EVALUATE));
            if (failure.isEmpty()) {
                keep(record.withEvaluated());
            }
        }
        failure.ifPresent(reason -> keep(record.withFailure(reason)));
        return failure;
    }

    /** A run that was begun goes on with the budget it has left. It is never begun again: that would spend it twice. */
    private Optional<String> train() throws InterruptedException {
        if (folder.isTrained()) {
            return Optional.empty();
        }
        if (folder.isBegun()) {
            keep(record.withResumed());
            return execute("resume", withMachine(folder.cell().resume(folder.run()), Stage.TRAIN));
        }
        folder.discardUnbegun();
        return execute(Stage.TRAIN.text(), command(Stage.TRAIN));
    }

    private List<String> command(Stage stage) {
        return withMachine(folder.cell().command(stage, folder.run()), stage);
    }

    private List<String> withMachine(List<String> command, Stage stage) {
        List<String> words = new ArrayList<>(command);
        machine.forEach((option, value) -> {
            if (!folder.cell().options().of(stage).has(option)) {
                words.add("--" + option);
                words.add(value);
            }
        });
        return words;
    }

    private Optional<String> execute(String what, List<String> words) throws InterruptedException {
        long logged;
        int code;
        try {
            logged = logLine(String.join(" ", words));
            Launcher.Task task = launcher.start(words, folder.log());
            keep(record.withProcess(task.process().map(CellRecord.Working::of)));
            code = task.await();
        } catch (IOException e) {
            throw new UserException("cannot run sapwood " + what + ": " + IoReasons.of(e), e);
        }
        keep(record.withProcess(Optional.empty()));
        if (code == 0) {
            return Optional.empty();
        }
        if (code == ChildJvm.SIGINT || code == ChildJvm.SIGTERM) {
            throw new UserException("told to end during " + what + " of cell "
                    + folder.cell().name() + "; the same command goes on from there");
        }
        return Optional.of(what + ": " + reason(logged, code));
    }

    private void keep(CellRecord next) {
        record = next;
        next.write(folder.recordFile());
    }

    /** Appends the command line to the log and returns the length of what stands before its output. */
    private long logLine(String command) throws IOException {
        Path log = folder.log();
        Files.writeString(log, "$ sapwood " + command + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        return Files.size(log);
    }

    /** The command's own last error line. */
    private String reason(long from, int code) {
        String last = "";
        try {
            byte[] all = Files.readAllBytes(folder.log());
            String printed = new String(all, (int) from, all.length - (int) from, StandardCharsets.UTF_8);
            for (String line : printed.lines().toList()) {
                last = line.startsWith(ERROR) ? line.substring(ERROR.length()) : last;
            }
        } catch (IOException e) {
            last = "";
        }
        return last.isEmpty() ? "ended with exit code " + code + "; see " + folder.log() : last;
    }
}
