package org.sapwood.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.sapwood.data.ImageSet;
import org.sapwood.data.ReadOptions;
import org.sapwood.evaluation.ClassifierTrainingOptions;
import org.sapwood.evaluation.FeatureModel;
import org.sapwood.evaluation.FeatureSpace;
import org.sapwood.evaluation.InceptionFeatures;
import org.sapwood.evaluation.Workers;
import org.sapwood.io.UserException;
import picocli.CommandLine.Option;

/** The feature space in which fidelity is measured: a classifier trained on public images, or Inception. */
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class FeatureOptions {
    private static final long SEED = 1;

    @Option(
            names = "--public",
            paramLabel = "D",
            description =
                    "Public images to train the feature classifier on (or glyphs:public:COUNT:SEED). Repeat to merge"
                            + " class folders.")
    private List<String> publicData = List.of();

    @Option(names = "--public-invert", description = "Turn v of --public into 255 - v.")
    private boolean invert;

    @Option(
            names = "--feature-model",
            paramLabel = "FILE",
            description =
                    "Keep the feature classifier in this safetensors file: read it where it exists, else train it on"
                            + " --public and write it.")
    private @Nullable Path file;

    @Option(
            names = "--feature-steps",
            paramLabel = "N",
            defaultValue = "2000",
            description = "Training steps of 64 images of the feature classifier, >= 1 (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Option(
            names = "--inception",
            paramLabel = "FILE",
            description =
                    "Instead of these: Inception-v3 weights as safetensors, named as in torchvision or pytorch-fid."
                            + " Only then is the distance an FID. It takes about 0.2 seconds of one core an image.")
    private @Nullable Path inception;

    /** Refuses values out of range and two spaces at once. */
    void check(OptionCheck check) {
        check.atLeast("--feature-steps", 1, steps);
        if (inception != null && (file != null || !publicData.isEmpty())) {
            throw check.error("--inception is a feature space of its own; leave out --public and --feature-model");
        }
    }

    /**
     * The feature space asked for, empty when none is.
     *
     * @param like images of the size that the space must take
     */
    Optional<FeatureSpace> space(ImageSet like, Workers workers, CommonOptions common) {
        if (inception != null) {
            return Optional.of(InceptionFeatures.read(inception));
        }
        if (file != null && Files.exists(file)) {
            return Optional.of(FeatureModel.read(file));
        }
        if (publicData.isEmpty()) {
            if (file != null) {
                throw new UserException("--feature-model " + file + " does not exist; give --public to train it");
            }
            return Optional.empty();
        }
        ReadOptions options = EvaluateCommand.fitting(ReadOptions.asStored().withInvert(invert), like);
        ImageSet images = EvaluateCommand.open(publicData, options);
        String name = publicData.stream()
                .map(location -> String.valueOf(Path.of(location).getFileName()))
                .collect(Collectors.joining(" + "));
        common.note("training the feature classifier on " + name);
        FeatureModel model = FeatureModel.train(
                images, name, ClassifierTrainingOptions.standard().withSteps(steps), SEED, workers);
        if (file != null) {
            model.write(file);
        }
        return Optional.of(model);
    }
}
