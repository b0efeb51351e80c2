package org.sapwood.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.RunFolder;
import org.sapwood.io.UserException;
import org.sapwood.synthesis.AutoencoderPretraining;
import org.sapwood.synthesis.FineTuning;
import org.sapwood.synthesis.Pretraining;
import org.sapwood.synthesis.RunRecord;
import org.sapwood.synthesis.dpaf.Dpaf;
import org.sapwood.tensor.BackendChoice;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sapwood resume}: goes on with a run that was killed. */
@Command(
        name = "resume",
        header = "Go on with a run that was killed.",
        description = {
            "",
            "Takes the options from run.json and continues from the newest checkpoint. Budget that was spent stays"
                    + " spent: steps whose result was lost are not repeated.",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class ResumeCommand implements Callable<Integer> {
    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Parameters(index = "0", paramLabel = "RUN", description = "The folder of the run.")
    private Path path;

    @Option(
            names = "--micro-batch",
            paramLabel = "M",
            description =
                    "Images that a worker takes at a time from now on; 0 takes what suits the backend (default: what"
                            + " the run was started with).")
    private @Nullable Integer microBatch;

    @Override
    public Integer call() {
        int threads = common.threads();
        if (microBatch != null) {
            common.check().atLeast("--micro-batch", 0, microBatch);
        }
        RunFolder folder = RunFolder.resume(path);
        BackendChoice backend = common.backend();
        if (microBatch != null) {
            RunRecord.setMicroBatch(folder, microBatch);
        }
        switch (RunRecord.command(folder)) {
            case "pretrain" -> {
                try (Progress progress = common.progress("pretrain")) {
                    Pretraining.resume(folder, backend, threads, progress);
                }
                PretrainCommand.report(folder, common, backend);
            }
            case AutoencoderPretraining.COMMAND -> {
                AutoencoderPretraining.Result result;
                try (Progress progress = common.progress("autoencoder")) {
                    result = AutoencoderPretraining.resume(folder, backend, threads, progress);
                }
                PretrainAutoencoderCommand.report(result, common);
            }
            case "train" -> {
                FineTuning.Result result;
                try (Progress progress = common.progress("train")) {
                    result = Dpaf.describes(RunRecord.options(folder, "train"))
                            ? Dpaf.resume(folder, backend, threads, progress)
                            : FineTuning.resume(folder, backend, threads, progress);
                }
                TrainingResult.report(result, common, backend);
            }
            case String other ->
                throw new UserException(folder.runJson() + " is of a '" + other + "' run, which cannot be resumed");
        }
        return ExitCode.OK;
    }
}
