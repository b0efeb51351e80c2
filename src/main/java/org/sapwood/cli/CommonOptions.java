package org.sapwood.cli;

import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Backends;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The options of every command, and what follows from them: where text goes, which backend runs. */
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class CommonOptions {
    private static final String AUTO = "auto";

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @ArgGroup(validate = false, heading = "%nCommon options:%n", order = 1000)
    private final Values values = new Values();

    /** The options themselves, grouped so that help shows them under a heading of their own. */
    static final class Values {
        @Option(names = "--threads", paramLabel = "N", description = "Worker threads (default: all cores).")
        private @Nullable Integer threads;

        @Option(
                names = "--seed",
                paramLabel = "S",
                description = "Make the run reproducible; a private run is then marked \"seeded, not private\""
                        + " (default: fresh randomness).")
        private @Nullable Long seed;

        @Option(
                names = "--backend",
                paramLabel = "NAME",
                completionCandidates = BackendNames.class,
                converter = BackendConverter.class,
                description = "One of ${COMPLETION-CANDIDATES} (default: auto, the fastest that runs here).")
        private @Nullable String backend;

        @Option(
                names = "--precision",
                paramLabel = "P",
                completionCandidates = PrecisionNames.class,
                converter = PrecisionConverter.class,
                description = "Of products on a GPU: fp32, or tf32 or bf16 on its tensor cores (default: fp32).")
        private @Nullable String precision;

        @Option(names = "--quiet", description = "No progress and no notes on standard error, only errors.")
        private boolean quiet;

        @Option(names = "--json", description = "Print the result as one JSON object on standard output.")
        private boolean json;

        @SuppressWarnings("UnusedVariable") // looked up by name, also when parsing stopped half-way
        @Option(names = "--stacktrace", description = "On failure, print where in the program it happened.")
        private boolean stackTrace;

        @SuppressWarnings("UnusedVariable") // picocli acts on it
        @Option(
                names = {"-h", "--help"},
                usageHelp = true,
                description = "Show this help.")
        private boolean help;
    }

    /** What {@code --backend} accepts. */
    static final class BackendNames implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Stream.concat(Stream.of(AUTO), Backends.names().stream()).iterator();
        }
    }

    /** What {@code --precision} accepts. */
    static final class PrecisionNames implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of("fp32", "tf32", "bf16").iterator();
        }
    }

    /** Accepts the names of precisions. */
    static final class PrecisionConverter implements ITypeConverter<String> {
        @Override
        public String convert(String text) {
            String name = text.toLowerCase(Locale.ROOT);
            if (!List.of("fp32", "tf32", "bf16").contains(name)) {
                throw new TypeConversionException("expected one of fp32, tf32, bf16, got '" + text + "'");
            }
            return name;
        }
    }

    /** Makes backends that are opened from now on compute in this precision, if they know more than one. */
    static void usePrecision(String name) {
        System.setProperty("sapwood.cuda.precision", name);
    }

    /** Accepts the names of backends, whether they can run here or not. */
    static final class BackendConverter implements ITypeConverter<String> {
        @Override
        public String convert(String text) {
            String name = text.toLowerCase(Locale.ROOT);
            if (!name.equals(AUTO) && !Backends.names().contains(name)) {
                throw new TypeConversionException(
                        "expected one of auto, " + String.join(", ", Backends.names()) + ", got '" + text + "'");
            }
            return name;
        }
    }

    /** What was on the command line. */
    ParseResult parsed() {
        return command.commandLine().getParseResult();
    }

    /** Checks of option values for this command. */
    OptionCheck check() {
        return new OptionCheck(command);
    }

    /**
     * The number of worker threads.
     *
     * @return at least 1
     * @throws CommandLine.ParameterException when {@code --threads} is less
     */
    int threads() {
        if (values.threads == null) {
            return Runtime.getRuntime().availableProcessors();
        }
        check().atLeast("--threads", 1, values.threads);
        return values.threads;
    }

    /** The seed, empty for fresh randomness. */
    OptionalLong seed() {
        return values.seed == null ? OptionalLong.empty() : OptionalLong.of(values.seed);
    }

    /** Whether the result is wanted as JSON. */
    boolean json() {
        return values.json;
    }

    /**
     * Chooses the backend and says so on one line of standard error.
     *
     * @throws UserException when the one asked for cannot run here, with the flag that mends it
     */
    BackendChoice backend() {
        return backend(System.getProperty(Backends.PROPERTY, AUTO));
    }

    /**
     * The same where another backend than the usual one is taken unless {@code --backend} says so.
     *
     * @param byDefault name of that backend
     */
    BackendChoice backend(String byDefault) {
        String name = values.backend == null ? byDefault : values.backend;
        if (values.precision != null) {
            usePrecision(values.precision);
        }
        try {
            BackendChoice choice = Backends.choose(name);
            note(choice.oneLine());
            return choice;
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new UserException(String.valueOf(e.getMessage()), e);
        }
    }

    /** Prints a line on standard error unless {@code --quiet}. */
    void note(String line) {
        if (!values.quiet) {
            command.commandLine().getErr().println(line);
        }
    }

    /**
     * Prints the result of the command.
     *
     * @param data what {@code --json} prints, as for {@link Json#line}
     * @param text the lines for a person otherwise
     */
    void result(Object data, List<String> text) {
        if (values.json) {
            command.commandLine().getOut().println(Json.line(data));
        } else {
            text.forEach(command.commandLine().getOut()::println);
        }
    }

    /**
     * A display of the progress of one piece of work, to be closed when it ends.
     *
     * @param task what is being done, one or two words
     */
    Progress progress(String task) {
        return values.quiet
                ? Progress.silent()
                : Progress.on(command.commandLine().getErr(), task);
    }

    /** Whether {@code command}, or the subcommand that ran below it, was given {@code --stacktrace}. */
    static boolean wantsStackTrace(CommandLine command) {
        CommandLine.ParseResult parsed = command.getParseResult();
        while (parsed != null) {
            if (parsed.hasMatchedOption("--stacktrace")) {
                return true;
            }
            parsed = parsed.subcommand();
        }
        return false;
    }
}
