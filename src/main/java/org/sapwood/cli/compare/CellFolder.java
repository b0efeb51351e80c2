package org.sapwood.cli.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.IoReasons;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;

/**
 * Where a cell is kept in the folder of a comparison, and how far it is.
 *
 * @param cell the experiment
 * @param run folder of its run
 * @param recordFile what {@link CellRecord} is kept in
 * @param log what its commands print
 */
record CellFolder(Cell cell, Path run, Path recordFile, Path log) {

    /** The folder of records and logs in the folder of a comparison. */
    static final String CELLS = "cells";

    static CellFolder in(Path out, Cell cell) {
        Path cells = out.resolve(CELLS);
        return new CellFolder(
                cell,
                out.resolve(cell.name()),
                cells.resolve(cell.name() + ".json"),
                cells.resolve(cell.name() + ".log"));
    }

    /** What is remembered of it, or what a new one starts with. */
    CellRecord record() {
        return CellRecord.read(recordFile).orElseGet(() -> CellRecord.begun(cell));
    }

    /** Whether the last step was made: training writes its section of metrics.json when all else is in place. */
    boolean isTrained() {
        Path metrics = run.resolve("metrics.json");
        return Files.exists(metrics) && Json.readObject(metrics).containsKey("training");
    }

    /** Whether a training was begun, whose budget may be spent. */
    boolean isBegun() {
        return Files.exists(run.resolve("run.json"));
    }

    boolean isComplete() {
        return isTrained() && record().evaluated();
    }

    /**
     * Refuses a folder that this cell cannot go on with.
     *
     * @throws UserException naming the cell, what differs and the ways out
     */
    void requireFit() {
        Optional<CellRecord> record = CellRecord.read(recordFile);
        if (record.isEmpty()) {
            if (!isEmpty(run)) {
                throw new UserException(run + " is there already and is not of this comparison;"
                        + " choose another --out or another name for the run");
            }
            return;
        }
        record.get().process().filter(CellRecord.Working::isAlive).ifPresent(working -> {
            throw new UserException("process " + working.pid() + " of an earlier comparison still works on cell "
                    + cell.name() + "; wait for it, or end it: nothing is lost");
        });
        Map<String, Object> identity = CellRecord.identity(cell);
        for (Stage stage : Stage.values()) {
            Object before = record.get().identity().get(stage.text());
            Object now = identity.get(stage.text());
            if (record.get().isDone(stage, isBegun()) && !Objects.equals(before, now)) {
                throw new UserException("cell " + cell.name() + " was " + stage.done() + " with other options: then "
                        + text(before) + ", now " + text(now)
                        + "; go back to that, choose another --out or another name for the run");
            }
        }
    }

    private static String text(@Nullable Object words) {
        return words instanceof List<?> list
                ? "'" + String.join(" ", list.stream().map(String::valueOf).toList()) + "'"
                : "none";
    }

    private static boolean isEmpty(Path folder) {
        if (!Files.exists(folder)) {
            return true;
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.findAny().isEmpty();
        } catch (IOException e) {
            throw new UserException("cannot read " + folder + ": " + IoReasons.of(e), e);
        }
    }

    /**
     * Removes what a training left that was killed before its run.json was written. It had asked the images nothing:
     * the ledger and run.json are written before the first query.
     */
    void discardUnbegun() {
        if (isBegun()) {
            throw new IllegalStateException(run + " holds a run, which is gone on with and never thrown away");
        }
        delete(run);
    }

    /** Removes images that were drawn in part. Drawing them costs no budget. */
    void discardImages() {
        delete(run.resolve("samples").resolve("images"));
    }

    private static void delete(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UserException("cannot delete " + folder + ": " + IoReasons.of(e), e);
        }
    }
}
