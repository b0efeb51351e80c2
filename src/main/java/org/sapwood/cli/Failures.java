package org.sapwood.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.sapwood.io.IoReasons;
import org.sapwood.io.UserException;
import org.sapwood.tensor.DeviceException;
import org.sapwood.tensor.OutOfDeviceMemoryException;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns whatever went wrong into one line on standard error and an exit code. */
final class Failures {
    private static final String PREFIX = "sapwood: ";

    private Failures() {}

    /**
     * Reports a wrong command line, with the nearest known names where one is unknown.
     *
     * @param failure what picocli or a command refused
     * @param args the command line
     * @return 2
     */
    static int usage(ParameterException failure, String[] args) {
        CommandLine command = failure.getCommandLine();
        PrintWriter err = command.getErr();
        err.println(PREFIX + line(failure));
        UnmatchedArgumentException.printSuggestions(failure, err);
        err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        return ExitCode.USAGE;
    }

    /** What was wrong, on one line. */
    static String line(ParameterException failure) {
        if (failure instanceof UnmatchedArgumentException unmatched) {
            String what = unmatched.isUnknownOption() ? "unknown option " : "unknown command or argument ";
            return what + unmatched.getUnmatched().getFirst();
        }
        return firstLine(failure);
    }

    /**
     * Reports a failure of a command that was called correctly.
     *
     * @param failure a {@link UserException} or {@link IOException} when the user can mend it, otherwise a bug
     * @param command the command that failed
     * @return 1
     */
    static int report(Throwable failure, CommandLine command) {
        PrintWriter err = command.getErr();
        boolean trace = CommonOptions.wantsStackTrace(command);
        err.println(PREFIX + line(failure, command, trace) + wayOn(failure, command));
        if (trace) {
            failure.printStackTrace(err);
        }
        return ExitCode.SOFTWARE;
    }

    private static String line(Throwable failure, CommandLine command, boolean trace) {
        return switch (failure) {
            case UserException e -> firstLine(e);
            case UncheckedIOException e when e.getCause() != null -> reason(e.getCause());
            case IOException e -> reason(e);
            case OutOfDeviceMemoryException e -> firstLine(e) + "; " + lessMemory(command);
            case DeviceException e -> firstLine(e);
            case OutOfMemoryError e ->
                "out of memory (" + e.getMessage() + "): take a smaller --batch or --micro-batch or fewer --threads, or"
                        + " give Java more with SAPWOOD_JAVA_OPTS=-Xmx8g";
            default ->
                "unexpected failure: " + failure.getClass().getSimpleName() + ": " + firstLine(failure)
                        + (trace ? "" : " (run again with --stacktrace for the place, and please report it)");
        };
    }

    /** What makes a command take less of a device's memory. */
    private static String lessMemory(CommandLine command) {
        return Stream.of("--micro-batch", "--sampling-batch", "--batch")
                .filter(option -> command.getCommandSpec().findOption(option) != null)
                .findFirst()
                .map(option -> "take a smaller " + option)
                .orElse("take --backend simd");
    }

    /** How a run that a device has let down goes on, empty if none had begun. */
    private static String wayOn(Throwable failure, CommandLine command) {
        boolean ofDevice = failure instanceof DeviceException
                || failure instanceof OutOfDeviceMemoryException
                || failure.getCause() instanceof OutOfDeviceMemoryException;
        OptionSpec out = command.getCommandSpec().findOption("--out");
        return ofDevice && out != null && out.getValue() instanceof Path run && Files.exists(run.resolve("run.json"))
                ? "; the run goes on with: sapwood resume " + run
                : "";
    }

    private static String reason(IOException failure) {
        String reason = IoReasons.of(failure);
        String file = failure instanceof FileSystemException system ? system.getFile() : null;
        return file == null || reason.contains(file) ? reason : file + ": " + reason;
    }

    private static String firstLine(Throwable failure) {
        return String.valueOf(failure.getMessage()).lines().findFirst().orElse("no message");
    }
}
