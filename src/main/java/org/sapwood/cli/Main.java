package org.sapwood.cli;

import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.OptionalDouble;
import org.sapwood.data.Glyphs;
import org.sapwood.data.ReadOptions;
import org.sapwood.nn.ClassifierArchitecture;
import org.sapwood.synthesis.CandidateSet;
import org.sapwood.synthesis.Method;
import org.sapwood.synthesis.ParityStep;
import org.sapwood.synthesis.SelectionRule;
import org.sapwood.synthesis.StepWorkload;
import org.sapwood.synthesis.TrainOptions;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The entry point: {@code sapwood COMMAND [OPTIONS]}. */
@Command(
        name = "sapwood",
        header = "Differentially private image synthesis on the JVM.",
        commandListHeading = "",
        optionListHeading = "%n",
        synopsisSubcommandLabel = "COMMAND",
        versionProvider = VersionText.class,
        subcommands = {
            DemoCommand.class,
            PretrainAutoencoderCommand.class,
            PretrainCommand.class,
            TrainCommand.class,
            ResumeCommand.class,
            SampleCommand.class,
            EvaluateCommand.class,
            ReportCommand.class,
            CompareCommand.class,
            ParityCommand.class,
            BenchCommand.class,
            BenchGpuCommand.class,
            PrivacyCommand.class,
            GlyphsCommand.class,
            DoctorCommand.class,
        },
        footer = {
            "",
            "Exit codes: 0 done, 1 failed, 2 wrong usage.",
            "Help on one command: sapwood COMMAND --help",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
public final class Main implements Runnable {
    /** How many columns help may fill. */
    private static final int HELP_WIDTH = 100;

    /** A longer name of an option, with its parameter, stands on a line of its own. */
    private static final int LONGEST_OPTION = 30;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("UnusedVariable") // picocli acts on it
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    @SuppressWarnings("UnusedVariable") // picocli acts on it
    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show the versions of Sapwood and Java.")
    private boolean version;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    /**
     * Runs a command and ends the JVM with its exit code.
     *
     * @param args the command line
     */
    public static void main(String[] args) {
        PrintWriter out = new PrintWriter(System.out, true, charset("stdout.encoding"));
        PrintWriter err = new PrintWriter(System.err, true, charset("stderr.encoding"));
        System.exit(run(out, err, args));
    }

    /**
     * Runs a command.
     *
     * @param out receives results
     * @param err receives progress, warnings and errors
     * @param args the command line
     * @return 0 done, 1 failed, 2 wrong usage
     */
    static int run(PrintWriter out, PrintWriter err, String... args) {
        CommandLine line = commandLine();
        line.setOut(out);
        line.setErr(err);
        line.setUsageHelpWidth(HELP_WIDTH);
        line.setUsageHelpAutoWidth(true);
        line.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, new CommandList());
        configureHelp(line);
        line.setParameterExceptionHandler(Failures::usage);
        line.setExecutionExceptionHandler((failure, command, parsed) -> Failures.report(failure, command));
        try {
            return line.execute(args);
        } catch (OutOfMemoryError | StackOverflowError | LinkageError | AssertionError e) {
            return Failures.report(e, line);
        } finally {
            out.flush();
            err.flush();
        }
    }

    /** A parser of command lines that knows every type of their values. */
    static CommandLine commandLine() {
        CommandLine line = new CommandLine(new Main());
        registerConverters(line);
        return line;
    }

    /** Options in the order of their declaration, which tells the story, for a command and all below it. */
    private static void configureHelp(CommandLine command) {
        command.getCommandSpec()
                .usageMessage()
                .sortOptions(false)
                .synopsisHeading("%nUsage: ")
                .abbreviateSynopsis(true)
                .longOptionsMaxWidth(LONGEST_OPTION);
        command.getSubcommands().values().forEach(Main::configureHelp);
    }

    private static void registerConverters(CommandLine line) {
        registerChoice(line, ParityStep.Trainable.class);
        registerChoice(line, Glyphs.Half.class);
        registerChoice(line, ReadOptions.Channels.class);
        registerChoice(line, ClassifierArchitecture.class);
        registerChoice(line, Method.class);
        registerChoice(line, TrainOptions.Clipping.class);
        registerChoice(line, CandidateSet.class);
        registerChoice(line, SelectionRule.class);
        registerChoice(line, StepWorkload.Mode.class);
        line.registerConverter(OptionalDouble.class, new AutoConverter());
        line.registerConverter(ReadOptions.Subset.class, new SubsetConverter());
    }

    private static <E extends Enum<E>> void registerChoice(CommandLine line, Class<E> type) {
        line.registerConverter(type, new ChoiceConverter<>(type));
    }

    private static Charset charset(String property) {
        String name = System.getProperty(property);
        return name == null ? Charset.defaultCharset() : Charset.forName(name);
    }
}
