package org.sapwood.cli;

import java.nio.file.Path;
import java.util.List;
import org.sapwood.data.ImageSource;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The public images that a model is trained on without privacy, and where the run goes. */
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class PublicDataOptions {
    @Option(
            names = "--data",
            required = true,
            paramLabel = "D",
            description = "The public images: an IDX images file or its folder, a folder or zip of class folders, CIFAR"
                    + " binary, .npz, or glyphs:public:COUNT:SEED for built-in ones. Repeat to merge class folders.")
    private List<String> data;

    @Option(names = "--out", required = true, paramLabel = "RUN", description = "The run folder; must be new or empty.")
    private Path out;

    @ArgGroup(validate = false, heading = "%nReading images:%n")
    private final ReadingOptions reading = new ReadingOptions();

    /** The images. */
    ImageSource source() {
        return new ImageSource(data.stream().map(TrainCommand::absolute).toList(), reading.toReadOptions());
    }

    /** The run folder. */
    Path out() {
        return out;
    }
}
