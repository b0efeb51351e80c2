package org.sapwood.cli.compare;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;

/**
 * A comparison as its spec file describes it.
 *
 * @param title of the table and the picture
 * @param runs in the order of the spec, at least one, with distinct names
 * @param repeats of every cell, at least 1
 */
public record CompareSpec(String title, List<Run> runs, int repeats) {
    private static final Set<String> SECTIONS =
            Set.of("title", "train", "sample", "evaluate", "grid", "runs", "repeats");
    private static final Set<String> SECTIONS_OF_RUN = Set.of("name", "train", "sample", "evaluate", "grid");

    /**
     * One named entry.
     *
     * @param name in the table
     * @param options with the common ones beneath its own
     * @param grid its own or the common one
     */
    record Run(String name, StageOptions options, Grid grid) {}

    /**
     * Reads a spec file.
     *
     * @throws UserException when it is not a spec, naming the file and the place
     */
    public static CompareSpec read(Path file) {
        return parse(Json.readObject(file), file.toString(), String.valueOf(file.getFileName()));
    }

    /**
     * Reads a spec.
     *
     * @param source of the spec, for messages
     * @param name what it is called unless it has a title
     */
    static CompareSpec parse(Map<String, Object> json, String source, String name) {
        String where = source + ": ";
        requireSections(json, SECTIONS, where);
        StageOptions common = StageOptions.read(json, where);
        Grid grid = Grid.read(json.get("grid"), where + "grid");
        int repeats = repeats(json.get("repeats"), where);
        if (!(json.get("runs") instanceof List<?> entries) || entries.isEmpty()) {
            throw new UserException(
                    where + "runs must be a list of at least one {\"name\": …, \"train\": …}, got " + json.get("runs"));
        }
        List<Run> runs = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Object entry : entries) {
            Run run = run(entry, common, grid, where + "runs[" + runs.size() + "]");
            if (!names.add(run.name)) {
                throw new UserException(where + "two runs are called " + run.name);
            }
            if (repeats > 1 && run.options.train().has("seed")) {
                throw new UserException(where + "run " + run.name + " has a train.seed, so its " + repeats
                        + " repeats would be one run made " + repeats + " times; leave the seed out");
            }
            runs.add(run);
        }
        return new CompareSpec(title(json.get("title"), name, where), List.copyOf(runs), repeats);
    }

    private static String title(@Nullable Object json, String name, String where) {
        return switch (json) {
            case null -> name.replaceFirst("\\.json$", "");
            case String text when !text.isBlank() -> text;
            default -> throw new UserException(where + "title must be a text, got " + json);
        };
    }

    private static int repeats(@Nullable Object json, String where) {
        return switch (json) {
            case null -> 1;
            case Integer count when count >= 1 -> count;
            default -> throw new UserException(where + "repeats must be a whole number >= 1, got " + json);
        };
    }

    private static Run run(Object entry, StageOptions common, Grid grid, String where) {
        if (!(entry instanceof Map<?, ?> json)) {
            throw new UserException(where + " must be an object with a name, got " + entry);
        }
        requireSections(json, SECTIONS_OF_RUN, where + ": ");
        if (!(json.get("name") instanceof String name) || Cell.folderName(name).isEmpty()) {
            throw new UserException(
                    where + ".name must be a text with a letter or digit in it, got " + json.get("name"));
        }
        StageOptions own = StageOptions.read(json, where + ".");
        Grid itsGrid = json.containsKey("grid") ? Grid.read(json.get("grid"), where + ".grid") : grid;
        for (Axis axis : itsGrid.axes().keySet()) {
            if (own.of(axis.stage()).values().containsKey(axis.option())) {
                throw new UserException(where + " (" + name + ") sets " + axis.text()
                        + ", which its grid varies; leave it out, or give this run a grid of its own");
            }
        }
        return new Run(name, common.with(own), itsGrid);
    }

    private static void requireSections(Map<?, ?> json, Set<String> known, String where) {
        for (Object key : json.keySet()) {
            if (!known.contains(String.valueOf(key))) {
                throw new UserException(where + "unknown section '" + key + "'; there are "
                        + known.stream().sorted().toList());
            }
        }
    }

    /**
     * All cells in the order in which they run: every run once before any is repeated. Their command lines are checked.
     *
     * @param commands says what the commands take
     * @throws UserException when two cells would have one folder
     * @throws RuntimeException what {@code commands} throws for the first command line that is wrong
     */
    public List<Cell> cells(CommandLines commands) {
        List<Cell> cells = new ArrayList<>();
        Map<String, String> folders = new HashMap<>(Map.of("cells", "the folder of logs"));
        for (int repeat = 1; repeat <= repeats; repeat++) {
            for (Run run : runs) {
                for (SequencedMap<Axis, Object> point : run.grid.points()) {
                    Cell cell = Cell.of(run, point, repeat, commands);
                    String before = folders.put(cell.name().toLowerCase(Locale.ROOT), "run " + run.name);
                    if (before != null) {
                        throw new UserException("run " + run.name + " would use the folder " + cell.name()
                                + ", as does " + before + "; give it another name");
                    }
                    cells.add(cell);
                }
            }
        }
        return List.copyOf(cells);
    }

    /** The axis that groups the table and the picture: the first one of the first run that has any. */
    Optional<Axis> firstAxis() {
        return axes().keySet().stream().findFirst();
    }

    /** All axes of all runs with the values that occur, in the order of the spec. */
    SequencedMap<Axis, List<String>> axes() {
        SequencedMap<Axis, List<String>> axes = new LinkedHashMap<>();
        for (Run run : runs) {
            run.grid.axes().forEach((axis, values) -> {
                List<String> all = axes.computeIfAbsent(axis, key -> new ArrayList<>());
                values.stream()
                        .map(OptionValues::text)
                        .filter(text -> !all.contains(text))
                        .forEach(all::add);
            });
        }
        return axes;
    }
}
