package org.sapwood.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sapwood bench}: measurements on this machine. */
@Command(
        name = "bench",
        header = "How fast a training step is here, to be compared with a peer.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = BenchStepCommand.class)
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class BenchCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @SuppressWarnings("UnusedVariable") // picocli acts on it
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing: step");
    }
}
