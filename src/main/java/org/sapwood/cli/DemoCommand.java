package org.sapwood.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.sapwood.data.Glyphs;
import org.sapwood.data.ImageSet;
import org.sapwood.data.ImageSource;
import org.sapwood.data.ReadOptions;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.evaluation.ClassifierTrainingOptions;
import org.sapwood.evaluation.Evaluation;
import org.sapwood.evaluation.EvaluationOptions;
import org.sapwood.evaluation.EvaluationReport;
import org.sapwood.evaluation.FeatureModel;
import org.sapwood.evaluation.Workers;
import org.sapwood.io.AtomicFiles;
import org.sapwood.io.IoReasons;
import org.sapwood.io.UserException;
import org.sapwood.report.ReportPage;
import org.sapwood.synthesis.Augmentation;
import org.sapwood.synthesis.CandidateSet;
import org.sapwood.synthesis.FineTuning;
import org.sapwood.synthesis.ImageGenerator;
import org.sapwood.synthesis.ImageGenerators;
import org.sapwood.synthesis.Method;
import org.sapwood.synthesis.RunRecord;
import org.sapwood.synthesis.SelectionRule;
import org.sapwood.synthesis.TrainOptions;
import org.sapwood.tensor.BackendChoice;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sapwood demo}: the main job on built-in data with a built-in public model. */
@Command(
        name = "demo",
        header = "The whole job on built-in images, in a few minutes.",
        description = {
            "",
            "Takes a small public model, pretrained on built-in letters, fine-tunes it privately (DP-SAPF, ε = 10) on"
                    + " built-in digits that play the sensitive set, draws synthetic digits, measures them, and names the"
                    + " files to open.",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class DemoCommand implements Callable<Integer> {
    /** The public model, made by {@code pretrain --data glyphs:public:… --export}; see its README beside it. */
    static final String RESOURCES = "/org/sapwood/cli/demo/";

    private static final int SENSITIVE_IMAGES = 4000;
    private static final int TEST_IMAGES = 1000;
    private static final int PUBLIC_IMAGES = 4000;
    private static final int SYNTHETIC_IMAGES = 500;
    private static final int CLASSIFIER_STEPS = 300;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Option(
            names = "--out",
            paramLabel = "RUN",
            defaultValue = "sapwood-demo",
            description = "The run folder; must be new or empty. The public model goes to RUN-public-model (default:"
                    + " ${DEFAULT-VALUE}).")
    private Path out;

    @Option(
            names = "--epsilon",
            paramLabel = "E",
            defaultValue = "10",
            description = "Total ε, > 0 (default: ${DEFAULT-VALUE}).")
    private double epsilon;

    @Option(
            names = "--steps",
            paramLabel = "T",
            defaultValue = "150",
            description = "Training steps, >= 1 (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Override
    public Integer call() {
        common.check().positive("--epsilon", epsilon).atLeast("--steps", 1, steps);
        int threads = common.threads();
        BackendChoice backend = common.backend();
        FineTuning.Result result = train(threads, backend);
        TrainedRun run = new TrainedRun(result.folder());
        ImageSet synthetic = draw(run, threads, backend);
        EvaluationReport report = evaluate(run, synthetic, threads, backend);
        ReportPage.write(run.folder());

        Map<String, Object> data = new LinkedHashMap<>();
        data.put("run", result.folder().path());
        data.put("report", result.folder().report());
        data.put("epsilon", result.epsilon());
        data.put("delta", result.delta());
        data.put("accuracy", report.downstream().mean());
        List<String> text = new ArrayList<>(EvaluateCommand.text(report));
        text.add("spent ε = " + Rounding.up(result.epsilon()) + " at δ = " + Rounding.up(result.delta()) + " on "
                + SENSITIVE_IMAGES + " images");
        text.add("open " + result.folder().report());
        text.add("open " + result.folder().samples().resolve(TrainedRun.SHEET));
        common.result(data, text);
        return ExitCode.OK;
    }

    private FineTuning.Result train(int threads, BackendChoice backend) {
        Path model = unpackModel();
        common.note("calibrating the noise, then training");
        try (Progress progress = common.progress("train")) {
            return FineTuning.start(options(model), out, backend, threads, progress);
        }
    }

    private TrainOptions options(Path model) {
        return new TrainOptions(
                Method.DP_SAPF,
                model.toString(),
                "",
                new ImageSource(List.of("glyphs:sensitive:" + SENSITIVE_IMAGES + ":1"), ReadOptions.asStored()),
                epsilon,
                OptionalDouble.empty(),
                256,
                steps,
                1,
                1,
                0.1,
                TrainOptions.Clipping.FLAT,
                2e-3,
                3e-2,
                OptionalInt.empty(),
                10,
                0.95,
                8,
                1,
                CandidateSet.ALL,
                SelectionRule.ENERGY,
                0.5,
                OptionalDouble.empty(),
                OptionalDouble.empty(),
                1,
                4,
                true,
                0,
                Augmentation.NONE,
                0.1,
                "uniform",
                NoiseSchedule.DEFAULT_NAME,
                8,
                common.seed());
    }

    private ImageSet draw(TrainedRun run, int threads, BackendChoice backend) {
        List<String> classes = Glyphs.Half.SENSITIVE.classNames();
        ImageGenerator model = ImageGenerators.load(run.model());
        ImageSet images;
        try (Progress progress = common.progress("sample")) {
            images = SyntheticImages.draw(
                    model,
                    classes,
                    SYNTHETIC_IMAGES,
                    DrawingOptions.defaults(model, threads, common.seed().orElse(0)),
                    backend,
                    progress);
        }
        ImageFolder.write(images, run.folder().samples().resolve(TrainedRun.IMAGES));
        ImageFolder.writeSheet(images, run.folder().samples().resolve(TrainedRun.SHEET));
        return images;
    }

    private EvaluationReport evaluate(TrainedRun run, ImageSet synthetic, int threads, BackendChoice backend) {
        ClassifierTrainingOptions training =
                ClassifierTrainingOptions.standard().withSteps(CLASSIFIER_STEPS);
        try (Workers workers = new Workers(backend, threads)) {
            common.note("training the feature classifier on built-in letters");
            ImageSet letters = Glyphs.generate(Glyphs.Half.PUBLIC, PUBLIC_IMAGES, 2);
            FeatureModel features = FeatureModel.train(letters, "built-in letters", training, 1, workers);
            EvaluationReport report = Evaluation.run(
                    synthetic,
                    run.data().open(),
                    Glyphs.generate(Glyphs.Half.SENSITIVE, TEST_IMAGES, 2),
                    Optional.of(features),
                    new EvaluationOptions(training, List.of(1L), true),
                    workers,
                    common::note);
            RunRecord.putMetrics(run.folder(), "evaluation", report.toJson());
            return report;
        }
    }

    /** Resuming a killed demo needs the model again, so it stands beside the run. */
    private Path unpackModel() {
        Path run = out.toAbsolutePath().normalize();
        Path folder = run.resolveSibling(run.getFileName() + "-public-model");
        try {
            Files.createDirectories(folder);
            for (String file : List.of(ModelExport.CONFIG, ModelExport.WEIGHTS)) {
                try (InputStream in = DemoCommand.class.getResourceAsStream(RESOURCES + file)) {
                    if (in == null) {
                        throw new UserException("this build lacks the public model of the demo, " + RESOURCES + file
                                + "; build again from a complete checkout");
                    }
                    AtomicFiles.write(folder.resolve(file), in.readAllBytes());
                }
            }
            return folder;
        } catch (IOException e) {
            throw new UserException("cannot unpack the public model of the demo: " + IoReasons.of(e), e);
        }
    }
}
