package org.sapwood.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.sapwood.data.ImageSet;
import org.sapwood.data.ImageSource;
import org.sapwood.data.ReadOptions;
import org.sapwood.evaluation.ClassifierTrainingOptions;
import org.sapwood.evaluation.DownstreamAccuracy;
import org.sapwood.evaluation.Evaluation;
import org.sapwood.evaluation.EvaluationOptions;
import org.sapwood.evaluation.EvaluationReport;
import org.sapwood.evaluation.NearestTrainingImages;
import org.sapwood.evaluation.RememberedFeatures;
import org.sapwood.evaluation.Workers;
import org.sapwood.io.RunFolder;
import org.sapwood.io.UserException;
import org.sapwood.nn.ClassifierArchitecture;
import org.sapwood.report.ReportPage;
import org.sapwood.synthesis.RunRecord;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sapwood evaluate}: measures synthetic images against real ones. */
@Command(
        name = "evaluate",
        header = "Measure synthetic images against real ones.",
        description = {
            "",
            "Accuracy on real test images of classifiers that saw synthetic images only, beside the same classifiers"
                    + " trained on the real training images; with --public or --feature-model also Fréchet distance and"
                    + " precision/recall in the feature space of a classifier trained on public images (not an FID), with"
                    + " --inception in that of Inception-v3 (an FID). The numbers are not covered by the privacy"
                    + " guarantee. All sets are resized to the synthetic images.",
            "",
            "Example: sapwood evaluate --run runs/mnist --test mnist --test-subset 8000:10000 --public omniglot"
                    + " --public-invert",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class EvaluateCommand implements Callable<Integer> {
    @Mixin
    private final CommonOptions common = new CommonOptions();

    @ArgGroup(multiplicity = "1")
    private Synthetic synthetic;

    /** What is judged. */
    static final class Synthetic {
        @Option(
                names = "--run",
                paramLabel = "RUN",
                description =
                        "The folder of a run with samples in it (sapwood sample --run RUN); the result goes to its"
                                + " metrics.json and report.html.")
        private @Nullable Path run;

        @Option(
                names = "--synthetic",
                paramLabel = "DIR",
                description = "Or any set of synthetic images: a folder or zip of class folders, IDX, …")
        private @Nullable Path folder;
    }

    @ArgGroup(validate = false, heading = "%nReal images:%n")
    private final RealImages real = new RealImages();

    @ArgGroup(validate = false, heading = "%nFeature space:%n")
    private final FeatureOptions features = new FeatureOptions();

    @ArgGroup(validate = false, heading = "%nClassifiers:%n")
    private final Classifiers classifiers = new Classifiers();

    @ArgGroup(validate = false, heading = "%nCheck for memorised images, NOT PRIVATE:%n")
    private final NearestOptions nearest = new NearestOptions();

    /** Where the real images are. */
    @SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
    static final class RealImages {
        @Option(
                names = "--train",
                paramLabel = "D",
                description = "The images that the generator was trained on (default: those of --run).")
        private @Nullable Path train;

        @Option(
                names = "--train-subset",
                paramLabel = "FROM:TO",
                defaultValue = ":",
                description = "Which of --train (default: all).")
        private ReadOptions.Subset trainSubset;

        @Option(
                names = "--test",
                required = true,
                paramLabel = "D",
                description = "Real images that it was not trained on. Required.")
        private @Nullable Path test;

        @Option(
                names = "--test-subset",
                paramLabel = "FROM:TO",
                defaultValue = ":",
                description = "Which of --test (default: all).")
        private ReadOptions.Subset testSubset;

        @Option(names = "--invert", description = "Turn v of --train and --test into 255 - v.")
        private boolean invert;
    }

    /** What the downstream classifiers are. */
    static final class Classifiers {
        @Option(
                names = "--architectures",
                paramLabel = "A,…",
                split = ",",
                defaultValue = "cnn",
                description =
                        "Networks to train, of cnn, resnet and wrn (default: ${DEFAULT-VALUE}). For 28x28 images a"
                                + " resnet takes about 8 times as long as a cnn, a wrn 13 times.")
        private List<ClassifierArchitecture> architectures = List.of();

        @Option(
                names = "--classifier-seeds",
                paramLabel = "N",
                defaultValue = "3",
                description = "Classifiers of each network whose accuracies are averaged, >= 1 (default:"
                        + " ${DEFAULT-VALUE}).")
        private int seeds;

        @Option(
                names = "--classifier-steps",
                paramLabel = "N",
                defaultValue = "1000",
                description = "Training steps of 64 images of each, >= 1 (default: ${DEFAULT-VALUE}).")
        private int steps;

        @Option(
                names = "--no-reference",
                description = "Leave out the classifiers trained on real images; halves the time.")
        private boolean noReference;
    }

    @Override
    public Integer call() {
        common.check()
                .atLeast("--classifier-seeds", 1, classifiers.seeds)
                .atLeast("--classifier-steps", 1, classifiers.steps);
        features.check(common.check());
        if (Set.copyOf(classifiers.architectures).size() < classifiers.architectures.size()) {
            throw common.check().error("--architectures names a network twice; name each once");
        }
        nearest.check(common.check(), synthetic.run);
        int threads = common.threads();
        RunFolder folder = synthetic.run == null ? null : RunFolder.open(synthetic.run);
        ImageSet images = syntheticImages(folder);
        ImageSet train = trainImages(folder, images);
        ImageSet test = realImages("--test", real.test, real.testSubset, images);
        EvaluationReport report;
        Optional<NearestTrainingImages> memorized;
        try (Workers workers = new Workers(common.backend(), threads)) {
            Optional<RememberedFeatures> space =
                    features.space(images, workers, common).map(RememberedFeatures::new);
            EvaluationOptions options = new EvaluationOptions(
                    ClassifierTrainingOptions.standard().withSteps(classifiers.steps),
                    classifiers.architectures,
                    LongStream.rangeClosed(1, classifiers.seeds).boxed().toList(),
                    !classifiers.noReference);
            report = Evaluation.run(images, train, test, space, options, workers, common::note);
            memorized = nearest.measure(images, train, test, space, workers, common);
        }
        if (folder != null) {
            RunRecord.putMetrics(folder, "evaluation", report.toJson());
            ReportPage.write(folder);
        }
        // The check for memorised images is printed and nothing else: a run folder is made to be handed on.
        Map<String, Object> json = new LinkedHashMap<>(report.toJson());
        List<String> lines = new ArrayList<>(text(report));
        memorized.ifPresent(m -> {
            json.put("nearest_training_images", m.toJson());
            lines.addAll(NearestOptions.text(m));
        });
        common.result(json, lines);
        return ExitCode.OK;
    }

    private ImageSet syntheticImages(@Nullable RunFolder folder) {
        if (folder == null) {
            return open(List.of(String.valueOf(synthetic.folder)), ReadOptions.asStored());
        }
        Path images = folder.samples().resolve(TrainedRun.IMAGES);
        if (!Files.isDirectory(images)) {
            throw new UserException(
                    folder.path() + " holds no synthetic images yet; draw them first with: sapwood sample" + " --run "
                            + folder.path());
        }
        return open(List.of(images.toString()), ReadOptions.asStored());
    }

    private ImageSet trainImages(@Nullable RunFolder folder, ImageSet like) {
        if (real.train != null || folder == null) {
            return realImages("--train", real.train, real.trainSubset, like);
        }
        ImageSource source = new TrainedRun(folder).data();
        return new ImageSource(source.locations(), fitting(source.options(), like)).open();
    }

    private ImageSet realImages(String option, @Nullable Path path, ReadOptions.Subset subset, ImageSet like) {
        if (path == null) {
            throw common.check().error(option + " is required");
        }
        ReadOptions asked = ReadOptions.asStored().withInvert(real.invert).withSubset(subset);
        return open(List.of(path.toString()), fitting(asked, like));
    }

    /** With the size and channels of {@code like}. */
    static ReadOptions fitting(ReadOptions options, ImageSet like) {
        return options.withSize(like.height())
                .withChannels(like.channels() == 1 ? ReadOptions.Channels.GREY : ReadOptions.Channels.RGB);
    }

    static ImageSet open(List<String> locations, ReadOptions options) {
        return new ImageSource(locations, options).open();
    }

    static List<String> text(EvaluationReport report) {
        List<String> lines = new ArrayList<>();
        addAccuracy(
                lines,
                "downstream accuracy",
                report.downstream(),
                "trained on " + report.syntheticImages() + " synthetic images");
        report.nonPrivateReference()
                .ifPresent(r -> addAccuracy(lines, "non-private reference", r, "trained on the real images"));
        report.fidelity().ifPresent(f -> {
            lines.add(String.format(
                    Locale.ROOT,
                    "%-22s %.2f (real test images: %.2f)%s",
                    f.distanceName(),
                    f.frechetDistance(),
                    f.realTestFrechetDistance(),
                    f.tooFewImages() ? ", too large: " + f.features() + " features need more images" : ""));
            lines.add(String.format(
                    Locale.ROOT,
                    "precision / recall     %.3f / %.3f",
                    f.precisionRecall().precision(),
                    f.precisionRecall().recall()));
            lines.add("feature space          " + f.featureSpace());
        });
        lines.add(EvaluationReport.NOTICE);
        return lines;
    }

    private static void addAccuracy(List<String> lines, String name, DownstreamAccuracy accuracy, String note) {
        Map<ClassifierArchitecture, DownstreamAccuracy> parts = accuracy.byArchitecture();
        if (parts.size() == 1) {
            lines.add(String.format(Locale.ROOT, "%-22s %s, %s", name, accuracy(accuracy), note));
            return;
        }
        lines.add(String.format(
                Locale.ROOT, "%-22s %.1f %%, mean of %d networks %s", name, 100 * accuracy.mean(), parts.size(), note));
        parts.forEach((architecture, part) ->
                lines.add(String.format(Locale.ROOT, "  %-20s %s", architecture.description(), accuracy(part))));
    }

    private static String accuracy(DownstreamAccuracy accuracy) {
        String each = accuracy.runs().stream()
                .map(run -> String.format(Locale.ROOT, "%.1f", 100 * run.testAccuracy()))
                .collect(Collectors.joining(", "));
        return String.format(Locale.ROOT, "%.1f %% (%s)", 100 * accuracy.mean(), each);
    }
}
