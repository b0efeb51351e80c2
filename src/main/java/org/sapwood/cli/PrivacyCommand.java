package org.sapwood.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sapwood privacy}: the accountants by themselves. */
@Command(
        name = "privacy",
        header = "What noisy queries cost (epsilon), or how much noise a budget needs (calibrate).",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {PrivacyEpsilonCommand.class, PrivacyCalibrateCommand.class})
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class PrivacyCommand implements Runnable {
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
        throw new ParameterException(spec.commandLine(), "a command is missing: epsilon or calibrate");
    }
}
