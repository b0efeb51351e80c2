package org.sapwood.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sapwood.data.ImageSet;
import org.sapwood.evaluation.FeatureSpace;
import org.sapwood.evaluation.NearestSheet;
import org.sapwood.evaluation.NearestTrainingImages;
import org.sapwood.evaluation.Workers;
import picocli.CommandLine.Option;

/** The check for memorised images, which looks at single private images and is therefore off unless asked for. */
final class NearestOptions {
    @Option(
            names = "--nearest-training-images",
            description =
                    "Print how near synthetic images come to their nearest training image, beside how near the test"
                            + " images come. Looks at single private images; nothing of it is written to the run.")
    private boolean wanted;

    @Option(
            names = "--nearest-sheet",
            paramLabel = "FILE",
            description =
                    "With it: write a PNG of the closest pairs. It SHOWS PRIVATE IMAGES, so it must lie outside the"
                            + " run.")
    private @Nullable Path sheet;

    /** Refuses a sheet without the check or inside the folder of the run, which is made to be handed on. */
    void check(OptionCheck check, @Nullable Path run) {
        if (sheet == null) {
            return;
        }
        if (!wanted) {
            throw check.error("--nearest-sheet shows private images and needs --nearest-training-images beside it");
        }
        if (run != null && absolute(sheet).startsWith(absolute(run))) {
            throw check.error("--nearest-sheet " + sheet + " lies in the folder of the run, but shows private images;"
                    + " name a place outside " + run);
        }
        Path parent = absolute(sheet).getParent();
        if (parent == null || !Files.isDirectory(parent)) {
            throw check.error("--nearest-sheet " + sheet + ": the folder " + parent + " does not exist; make it first");
        }
    }

    private static Path absolute(Path path) {
        return path.toAbsolutePath().normalize();
    }

    /** The check and its sheet, if asked for. */
    Optional<NearestTrainingImages> measure(
            ImageSet synthetic,
            ImageSet training,
            ImageSet test,
            Optional<? extends FeatureSpace> space,
            Workers workers,
            CommonOptions common) {
        if (!wanted) {
            return Optional.empty();
        }
        common.note(NearestTrainingImages.WARNING);
        NearestTrainingImages nearest = NearestTrainingImages.measure(synthetic, training, test, space, workers);
        if (sheet != null) {
            NearestSheet.write(sheet, nearest.pixels().synthetic(), synthetic, training);
            common.note("wrote " + sheet + ", which shows private images");
        }
        return Optional.of(nearest);
    }

    static List<String> text(NearestTrainingImages nearest) {
        List<String> lines = new ArrayList<>();
        lines.add("");
        lines.add(NearestTrainingImages.WARNING);
        lines.addAll(text(nearest.pixels()));
        nearest.features().ifPresent(f -> lines.addAll(text(f)));
        return lines;
    }

    private static List<String> text(NearestTrainingImages.Comparison comparison) {
        return List.of(
                "nearest training image, by " + comparison.space(),
                String.format(
                        Locale.ROOT,
                        "  suspiciously near    %.2f %% of the synthetic images, below a distance of %.3f (1 %% of the test"
                                + " images are)",
                        100 * comparison.shareNear(),
                        comparison.nearDistance()),
                String.format(Locale.ROOT, "  identical            %.2f %%", 100 * comparison.shareIdentical()),
                String.format(
                        Locale.ROOT,
                        "  nearer than a test image with a chance of %.3f (0.5: as new as they; towards 1: copies)",
                        comparison.chanceNearer()));
    }
}
