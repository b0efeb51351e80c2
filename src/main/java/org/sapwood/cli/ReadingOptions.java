package org.sapwood.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.sapwood.data.ReadOptions;
import picocli.CommandLine.Option;

/** What to do to images while reading them. */
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class ReadingOptions {
    @Option(
            names = "--subset",
            paramLabel = "FROM:TO",
            defaultValue = ":",
            description = "Which images, by index in the order of the set, TO not included (default: all).")
    private ReadOptions.Subset subset;

    @Option(
            names = "--size",
            paramLabel = "PIXELS",
            description = "Crop to the centre square and resize to this edge (default: as stored).")
    private @Nullable Integer size;

    @Option(names = "--invert", description = "Turn v into 255 - v: dark strokes on white into light ones on black.")
    private boolean invert;

    @Option(
            names = "--channels",
            paramLabel = "HOW",
            defaultValue = "as-stored",
            description = "as-stored, grey or rgb (default: ${DEFAULT-VALUE}).")
    private ReadOptions.Channels channels;

    @Option(
            names = "--labels",
            paramLabel = "FILE",
            description = "IDX labels (default: the file of the matching name beside the images).")
    private @Nullable Path labels;

    /** The options as the readers take them. */
    ReadOptions toReadOptions() {
        return new ReadOptions(
                size == null ? OptionalInt.empty() : OptionalInt.of(size),
                invert,
                channels,
                subset,
                Optional.ofNullable(labels));
    }
}
