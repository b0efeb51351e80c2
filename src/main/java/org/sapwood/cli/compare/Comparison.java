package org.sapwood.cli.compare;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.AtomicFiles;
import org.sapwood.io.IoReasons;
import org.sapwood.io.UserException;

/**
 * Runs the cells of a spec, one after the other, and keeps the table and the picture up to date. How far each cell is
 * stands in its folder alone, so a comparison that was killed at any instant goes on when it is started again.
 */
public final class Comparison {
    private final CompareSpec spec;
    private final Path out;
    private final List<CellFolder> folders;

    /**
     * A comparison in a folder.
     *
     * @param cells of the spec
     * @param out made where missing
     */
    public Comparison(CompareSpec spec, List<Cell> cells, Path out) {
        this.spec = spec;
        this.out = out;
        this.folders = cells.stream().map(cell -> CellFolder.in(out, cell)).toList();
    }

    /**
     * What came of it.
     *
     * @param table the Markdown file
     * @param csv the same for programs
     * @param picture the picture, if anything could be drawn
     * @param complete number of complete cells
     * @param failed what failed in this attempt: cell name and reason
     */
    public record Result(Path table, Path csv, Optional<Path> picture, int complete, Map<String, String> failed) {}

    /**
     * How far a cell is.
     *
     * @param folder of its run
     * @param state in a word or two
     */
    public record State(Cell cell, Path folder, String state) {}

    /**
     * Refuses a folder that holds something else, or cells of this name that are another experiment.
     *
     * @throws UserException naming the first such cell
     */
    public void requireFit() {
        folders.forEach(CellFolder::requireFit);
    }

    /** How far every cell is. */
    public List<State> states() {
        return folders.stream()
                .map(folder -> new State(folder.cell(), folder.run(), state(folder)))
                .toList();
    }

    private static String state(CellFolder folder) {
        if (folder.isComplete()) {
            return "complete";
        }
        if (folder.isTrained()) {
            return folder.record().sampled() ? "to be evaluated" : "to be sampled";
        }
        return folder.isBegun() ? "to be resumed" : "to be trained";
    }

    /**
     * Runs everything that is missing. A cell that fails is passed over; it is tried again the next time.
     *
     * @param machine options such as {@code threads} for every command that is not given them by the spec
     * @param note receives a line at each step
     * @throws UserException when another comparison works in the folder or this one is told to end
     */
    public Result run(Launcher launcher, Map<String, String> machine, Consumer<String> note)
            throws InterruptedException {
        Path cells = out.resolve(CellFolder.CELLS);
        try {
            Files.createDirectories(cells);
            try (FileChannel channel = FileChannel.open(
                            cells.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = lock(channel)) {
                requireFit();
                return runLocked(launcher, machine, note, lock);
            }
        } catch (IOException e) {
            throw new UserException("cannot write to " + out + ": " + IoReasons.of(e), e);
        }
    }

    private FileLock lock(FileChannel channel) throws IOException {
        @Nullable FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            throw new UserException("another comparison is running in " + out);
        }
        return lock;
    }

    private Result runLocked(Launcher launcher, Map<String, String> machine, Consumer<String> note, FileLock lock)
            throws InterruptedException {
        if (!lock.isValid()) {
            throw new IllegalStateException("the lock of " + out + " was lost");
        }
        Map<String, String> failed = new LinkedHashMap<>();
        write(note);
        int number = 0;
        for (CellFolder folder : folders) {
            number++;
            String name = folder.cell().name();
            String place = "[" + number + "/" + folders.size() + "] " + name + ": ";
            String state = state(folder);
            note.accept(place + state + (state.equals("complete") ? "" : "; log: " + folder.log()));
            if (state.equals("complete")) {
                continue;
            }
            long started = System.nanoTime();
            Optional<String> failure = new CellRun(folder, launcher, machine).run();
            failure.ifPresent(reason -> failed.put(name, reason));
            note.accept(place
                    + failure.map(reason -> "FAILED, " + reason)
                            .orElseGet(() -> "complete after "
                                    + Duration.ofNanos(System.nanoTime() - started)
                                            .toSeconds() + " s"));
            write(note);
        }
        int complete = (int) folders.stream().filter(CellFolder::isComplete).count();
        return new Result(table(), csv(), Optional.of(picture()).filter(Files::exists), complete, failed);
    }

    private Path table() {
        return out.resolve("compare.md");
    }

    private Path csv() {
        return out.resolve("compare.csv");
    }

    private Path picture() {
        return out.resolve("compare.png");
    }

    private void write(Consumer<String> note) {
        List<Outcome> outcomes = folders.stream().map(Outcome::of).toList();
        writeText(table(), new MarkdownTable(spec, outcomes).text());
        writeText(csv(), new CsvTable(spec, outcomes).text());
        ComparePicture picture = new ComparePicture(spec, outcomes);
        if (picture.isEmpty()) {
            return;
        }
        try {
            picture.write(picture());
        } catch (LinkageError | InternalError e) {
            // A Java runtime without fonts fails in this way. The table is worth more than the picture.
            note.accept("no picture: this Java cannot draw text here (" + e + ")");
        }
    }

    private static void writeText(Path file, String text) {
        try {
            AtomicFiles.write(file, text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UserException(IoReasons.of(e), e);
        }
    }
}
