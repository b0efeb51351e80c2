package org.sapwood.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.sapwood.io.RunFolder;
import org.sapwood.report.ReportPage;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sapwood report}: writes the page of a run anew. */
@Command(
        name = "report",
        header = "Write the page of a run anew.",
        description = {
            "",
            "Makes RUN/report.html from what the run has so far: the guarantee, samples by class, the ledger, the"
                    + " matrices chosen, measurements and how to do it again. One file that makes no request. train,"
                    + " pretrain, sample and evaluate write it too; this one is for runs in progress and after an"
                    + " update.",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class ReportCommand implements Callable<Integer> {
    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Option(names = "--run", required = true, paramLabel = "RUN", description = "The folder of the run.")
    private Path run;

    @Override
    public Integer call() {
        Path page = ReportPage.write(RunFolder.open(run));
        common.result(Map.of("report", page), List.of("open " + page));
        return ExitCode.OK;
    }
}
