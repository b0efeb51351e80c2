package org.sapwood.cli;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.sapwood.data.ImageSet;
import org.sapwood.diffusion.SamplingOptions;
import org.sapwood.io.RunFolder;
import org.sapwood.nn.ModelFolder;
import org.sapwood.report.ReportPage;
import org.sapwood.synthesis.GanImageGenerator;
import org.sapwood.synthesis.ImageGenerator;
import org.sapwood.synthesis.ImageGenerators;
import org.sapwood.tensor.BackendChoice;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sapwood sample}: draws synthetic images from a trained model. */
@Command(
        name = "sample",
        header = "Draw synthetic images from a trained model.",
        description = {
            "",
            "Writes OUT/images/CLASS/NUMBER.png, the classes in turn, and OUT/grid.png. Sampling asks the private"
                    + " images nothing and costs no budget.",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class SampleCommand implements Callable<Integer> {
    @Mixin
    private final CommonOptions common = new CommonOptions();

    @ArgGroup(multiplicity = "1")
    private Source source;

    /** Where the model is. */
    static final class Source {
        @Option(
                names = "--run",
                paramLabel = "RUN",
                description = "The folder of a run; its newest checkpoint is used and its classes keep their names.")
        private @Nullable Path run;

        @Option(
                names = "--model",
                paramLabel = "M",
                description =
                        "Or a model: a .safetensors file beside its config.json, or a diffusers folder; classes are"
                                + " numbered.")
        private @Nullable Path model;
    }

    @Option(
            names = "--count",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Number of images, >= 1 (default: ${DEFAULT-VALUE}).")
    private int count;

    @Option(
            names = "--out",
            paramLabel = "OUT",
            description = "Where they go; OUT/images must be new or empty (default: RUN/samples).")
    private @Nullable Path out;

    @ArgGroup(validate = false, heading = "%nSampling:%n")
    private final DrawingOptions drawing = new DrawingOptions();

    @Override
    public Integer call() {
        common.check().atLeast("--count", 1, count);
        long seed = common.seed().orElseGet(() -> new SecureRandom().nextLong());
        drawing.check(common.check());
        int threads = common.threads();
        TrainedRun run = source.run == null ? null : new TrainedRun(RunFolder.open(source.run));
        Path target = target(run);
        ImageGenerator model = ImageGenerators.load(run == null ? ModelFolder.find(modelPath()) : run.model());
        if (model instanceof GanImageGenerator) {
            DrawingOptions.refuseForGan(common.parsed(), common.check());
        }
        SamplingOptions options = drawing.toSamplingOptions(model, threads, seed);
        List<String> classNames = run == null
                ? TrainedRun.numbered(model.classes())
                : run.data().open().classNames();
        BackendChoice backend = common.backend();
        ImageSet images;
        try (Progress progress = common.progress("sample")) {
            images = SyntheticImages.draw(model, classNames, count, options, backend, progress);
        }
        Path folder = target.resolve(TrainedRun.IMAGES);
        Path sheet = target.resolve(TrainedRun.SHEET);
        ImageFolder.write(images, folder);
        ImageFolder.writeSheet(images, sheet);
        if (run != null) {
            ReportPage.write(run.folder());
        }
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("images", folder);
        data.put("grid", sheet);
        data.put("count", images.size());
        data.put("seed", seed);
        common.result(data, List.of("wrote " + images.size() + " images to " + folder, "open " + sheet));
        return ExitCode.OK;
    }

    private Path target(@Nullable TrainedRun run) {
        if (out != null) {
            return out;
        }
        if (run == null) {
            throw common.check().error("--out is required with --model");
        }
        return run.folder().samples();
    }

    private Path modelPath() {
        if (source.model == null) {
            throw common.check().error("either --run or --model is required");
        }
        return source.model;
    }
}
