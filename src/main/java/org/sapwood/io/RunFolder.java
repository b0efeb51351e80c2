package org.sapwood.io;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The folder of a run and the names in it:
 *
 * <pre>
 * run.json                       every option, versions, hardware
 * privacy.json                   the ledger of spent budget
 * checkpoint-&lt;step&gt;.safetensors   trained weights
 * optimizer-&lt;step&gt;.safetensors    what resume needs beside them
 * metrics.jsonl                  one line per progress report
 * metrics.json                   the evaluation
 * samples/                       images
 * report.html                    the page to open
 * </pre>
 *
 * Every file but {@code metrics.jsonl} is written atomically (see {@link AtomicFiles}), so a run killed at any instant
 * leaves a folder that {@link #resume} accepts.
 */
public final class RunFolder {
    /** A newest checkpoint and the one before it, in case the newest is on a disk that lies about fsync. */
    private static final int KEPT_CHECKPOINTS = 2;

    private static final Pattern CHECKPOINT = Pattern.compile("checkpoint-(\\d{1,18})\\.safetensors");

    private final Path path;

    private RunFolder(Path path) {
        this.path = path;
    }

    /**
     * A checkpoint found in the folder.
     *
     * @param step training steps taken when it was written, at least 0
     * @param path the safetensors file
     */
    public record Checkpoint(long step, Path path) {}

    /**
     * Starts a new run. Parent folders are made too.
     *
     * @param path where; must not exist or be an empty folder, so that no run is ever overwritten
     * @return the folder, with an empty {@code samples/}
     * @throws UserException when the folder holds anything or cannot be made
     */
    public static RunFolder create(Path path) {
        try {
            if (Files.exists(path)) {
                if (!Files.isDirectory(path)) {
                    throw new NotDirectoryException(path.toString());
                }
                try (Stream<Path> entries = Files.list(path)) {
                    if (entries.findAny().isPresent()) {
                        throw new UserException(
                                path + " is not empty; choose a new folder, or continue that run with: sapwood resume "
                                        + path);
                    }
                }
            }
            Files.createDirectories(path.resolve("samples"));
            return new RunFolder(path);
        } catch (IOException e) {
            throw new UserException("cannot create the run folder " + path + ": " + IoReasons.of(e), e);
        }
    }

    /** Whether {@code path} is the folder of a run: holds {@code run.json}. */
    public static boolean exists(Path path) {
        return Files.isRegularFile(path.resolve("run.json"));
    }

    /**
     * Opens the folder of an existing run to read from it or add to it; another process may still be training there.
     *
     * @param path a folder that holds {@code run.json}
     * @return the folder
     * @throws UserException when it is not the folder of a run
     */
    public static RunFolder open(Path path) {
        if (!exists(path)) {
            throw new UserException(path + " is not the folder of a run: it holds no run.json");
        }
        return new RunFolder(path);
    }

    /**
     * Opens the folder of a run that no process works on any more, to go on with it. Removes what a killed process left:
     * temporary files and a half-written last line of {@code metrics.jsonl}.
     *
     * @param path a folder that holds {@code run.json}
     * @return the folder
     * @throws UserException when it is not the folder of a run or cannot be written to
     */
    public static RunFolder resume(Path path) {
        RunFolder folder = open(path);
        try {
            List<Path> leftovers;
            try (Stream<Path> files = Files.walk(path)) {
                leftovers = files.filter(RunFolder::isLeftover).toList();
            }
            for (Path leftover : leftovers) {
                Files.deleteIfExists(leftover);
            }
            folder.dropHalfLine();
            Files.createDirectories(folder.samples());
            return folder;
        } catch (IOException e) {
            throw new UserException("cannot resume in " + path + ": " + IoReasons.of(e), e);
        }
    }

    private static boolean isLeftover(Path file) {
        String name = String.valueOf(file.getFileName());
        return name.startsWith(".") && name.endsWith(AtomicFiles.TEMPORARY_SUFFIX) && Files.isRegularFile(file);
    }

    private void dropHalfLine() throws IOException {
        if (!Files.exists(metricsLines())) {
            return;
        }
        try (RandomAccessFile file = new RandomAccessFile(metricsLines().toFile(), "rw")) {
            long end = file.length();
            while (end > 0) {
                file.seek(end - 1);
                if (file.read() == '\n') {
                    break;
                }
                end--;
            }
            file.setLength(end);
        }
    }

    /**
     * The folder itself.
     *
     * @return its path as it was given
     */
    public Path path() {
        return path;
    }

    /**
     * Every option, the versions and the hardware of the run.
     *
     * @return {@code run.json}
     */
    public Path runJson() {
        return path.resolve("run.json");
    }

    /**
     * The privacy ledger.
     *
     * @return {@code privacy.json}
     */
    public Path privacyJson() {
        return path.resolve("privacy.json");
    }

    /**
     * The progress lines.
     *
     * @return {@code metrics.jsonl}
     */
    public Path metricsLines() {
        return path.resolve("metrics.jsonl");
    }

    /**
     * The evaluation.
     *
     * @return {@code metrics.json}
     */
    public Path metricsJson() {
        return path.resolve("metrics.json");
    }

    /**
     * The folder of images.
     *
     * @return {@code samples/}
     */
    public Path samples() {
        return path.resolve("samples");
    }

    /**
     * The page to open.
     *
     * @return {@code report.html}
     */
    public Path report() {
        return path.resolve("report.html");
    }

    /**
     * The trained weights after a number of steps.
     *
     * @param step steps taken, at least 0
     * @return {@code checkpoint-<step>.safetensors}
     */
    public Path checkpoint(long step) {
        return path.resolve("checkpoint-" + step + ".safetensors");
    }

    /**
     * The optimizer's state that belongs to {@link #checkpoint}. Write it first: a checkpoint stands for a state that
     * can be resumed.
     *
     * @param step steps taken, at least 0
     * @return {@code optimizer-<step>.safetensors}
     */
    public Path optimizer(long step) {
        return path.resolve("optimizer-" + step + ".safetensors");
    }

    /**
     * The checkpoints in the folder.
     *
     * @return by ascending step
     * @throws UserException when the folder cannot be listed
     */
    public List<Checkpoint> checkpoints() {
        List<Checkpoint> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(path)) {
            files.forEach(file -> {
                Matcher matcher = CHECKPOINT.matcher(String.valueOf(file.getFileName()));
                if (matcher.matches()) {
                    found.add(new Checkpoint(Long.parseLong(matcher.group(1)), file));
                }
            });
        } catch (IOException e) {
            throw new UserException("cannot list " + path + ": " + IoReasons.of(e), e);
        }
        found.sort(Comparator.comparingLong(Checkpoint::step));
        return found;
    }

    /**
     * The checkpoint with the most steps.
     *
     * @return empty when none was written yet
     * @throws UserException when the folder cannot be listed
     */
    public Optional<Checkpoint> newestCheckpoint() {
        List<Checkpoint> all = checkpoints();
        return all.isEmpty() ? Optional.empty() : Optional.of(all.getLast());
    }

    /**
     * Deletes all checkpoints but the newest two, with what belongs to them.
     *
     * @throws UserException when one cannot be deleted
     */
    public void dropOldCheckpoints() {
        List<Checkpoint> all = checkpoints();
        for (Checkpoint old : all.subList(0, Math.max(0, all.size() - KEPT_CHECKPOINTS))) {
            try {
                Files.deleteIfExists(old.path());
                Files.deleteIfExists(optimizer(old.step()));
            } catch (IOException e) {
                throw new UserException("cannot delete the old checkpoint " + old.path() + ": " + IoReasons.of(e), e);
            }
        }
    }

    /**
     * Writes a JSON file of the run atomically.
     *
     * @param file one of the paths of this folder
     * @param value as for {@link Json#pretty}
     * @throws UserException when it cannot be written, naming the path and the reason
     */
    public void writeJson(Path file, @Nullable Object value) {
        writeText(file, Json.pretty(value));
    }

    /**
     * Writes a text file of the run atomically, in UTF-8.
     *
     * @param file one of the paths of this folder
     * @param text the whole content
     * @throws UserException when it cannot be written, naming the path and the reason
     */
    public void writeText(Path file, String text) {
        try {
            AtomicFiles.write(file, text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UserException(IoReasons.of(e), e);
        }
    }

    /**
     * Appends one line to {@code metrics.jsonl} and hands it to the operating system before returning. Nothing in it may
     * be a statistic of the private data.
     *
     * @param values as for {@link Json#line}
     * @throws UserException when it cannot be written, naming the path and the reason
     */
    public void appendMetrics(Object values) {
        ByteBuffer line = ByteBuffer.wrap((Json.line(values) + "\n").getBytes(StandardCharsets.UTF_8));
        try (FileChannel channel = FileChannel.open(
                metricsLines(), StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
            while (line.hasRemaining()) {
                channel.write(line);
            }
        } catch (IOException e) {
            throw new UserException("cannot write " + metricsLines() + ": " + IoReasons.of(e), e);
        }
    }
}
