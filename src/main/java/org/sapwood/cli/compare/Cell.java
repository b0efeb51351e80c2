package org.sapwood.cli.compare;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Stream;

/**
 * One experiment: one run of the spec at one point of its grid, once.
 *
 * @param name of its folder, made from the run's name and the grid's values, so that it stays the same when others are
 *     added to the spec
 * @param run name of the run
 * @param point the grid's values as a person types them
 * @param repeat 1 for the first
 * @param options of its commands, with those of the grid
 * @param train words of the train command after its name, without the folder
 * @param sample likewise
 * @param evaluate likewise
 */
public record Cell(
        String name,
        String run,
        SequencedMap<Axis, String> point,
        int repeat,
        StageOptions options,
        List<String> train,
        List<String> sample,
        List<String> evaluate) {

    /** What a stand-in for the folder is called when a command line is checked. */
    private static final Path ANY = Path.of("RUN");

    static Cell of(CompareSpec.Run run, SequencedMap<Axis, Object> point, int repeat, CommandLines commands) {
        StageOptions options = run.options();
        SequencedMap<Axis, String> texts = new LinkedHashMap<>();
        StringBuilder name = new StringBuilder(folderName(run.name()));
        for (var entry : point.entrySet()) {
            Axis axis = entry.getKey();
            options = options.with(axis, entry.getValue());
            String text = OptionValues.text(entry.getValue());
            texts.put(axis, text);
            name.append('_')
                    .append(folderName(axis.text()))
                    .append('-')
                    .append(folderName(text.substring(text.lastIndexOf('/') + 1)));
        }
        if (repeat > 1) {
            name.append("_repeat-").append(repeat);
        }
        Cell cell = new Cell(
                name.toString(),
                run.name(),
                texts,
                repeat,
                options,
                options.train().words(Stage.TRAIN, commands),
                options.sample().words(Stage.SAMPLE, commands),
                options.evaluate().words(Stage.EVALUATE, commands));
        for (Stage stage : Stage.values()) {
            commands.check(cell.name, cell.command(stage, ANY));
        }
        return cell;
    }

    /** A text as part of a file name: letters, digits, dots and dashes. */
    static String folderName(String text) {
        return text.replaceAll("[^A-Za-z0-9.]+", "-").replaceAll("^[-.]+|[-.]+$", "");
    }

    /** The words of a command line after the command's name, without the folder: what makes this cell what it is. */
    List<String> words(Stage stage) {
        return switch (stage) {
            case TRAIN -> train;
            case SAMPLE -> sample;
            case EVALUATE -> evaluate;
        };
    }

    /**
     * The whole command line of a stage.
     *
     * @param folder of this cell's run
     */
    public List<String> command(Stage stage, Path folder) {
        List<String> place = List.of(stage == Stage.TRAIN ? "--out" : "--run", folder.toString());
        return Stream.of(List.of(stage.text()), place, words(stage))
                .flatMap(List::stream)
                .toList();
    }

    /** The command line that goes on with a killed training; options that only say how it is computed are kept. */
    List<String> resume(Path folder) {
        List<String> words = new ArrayList<>(List.of("resume", folder.toString()));
        for (String option : List.of("threads", "backend", "precision")) {
            String value = options.train().get(option);
            if (value != null) {
                words.add("--" + option);
                words.add(value);
            }
        }
        return words;
    }
}
