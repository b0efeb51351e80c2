package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

@Tag("no-vector")
class MainTest {
    @Test
    void helpListsEveryCommand() {
        Run run = Run.of("--help");
        assertEquals(0, run.code());
        for (String command : new CommandLine(new Main()).getSubcommands().keySet()) {
            assertTrue(run.out().contains("\n  " + command + " "), () -> command + " is missing in " + run.out());
        }
    }

    @Test
    void versionNamesJava() {
        Run run = Run.of("--version");
        assertEquals(0, run.code());
        assertTrue(run.out().contains(Runtime.version().toString()), run.out());
    }

    /** Every option of every command says what it is; one with a value names it. */
    @TestFactory
    Stream<DynamicTest> everyOptionIsDocumented() {
        return allCommands(new CommandLine(new Main())).stream()
                .map(CommandLine::getCommandSpec)
                .map(command -> DynamicTest.dynamicTest(command.qualifiedName(), () -> checkHelp(command)));
    }

    private static void checkHelp(CommandSpec command) {
        assertTrue(command.usageMessage().header().length > 0, "no header");
        for (OptionSpec option : command.options()) {
            assertTrue(option.description().length > 0, () -> option.longestName() + " has no description");
            assertTrue(
                    option.arity().max() == 0 || !option.paramLabel().startsWith("<"),
                    () -> option.longestName() + " names no value");
        }
        String words = command.qualifiedName().substring("sapwood".length()) + " --help";
        Run help = Run.of(words.strip());
        assertEquals(0, help.code(), help.err());
        assertTrue(help.out().contains("Usage: " + command.qualifiedName()), help.out());
    }

    private static List<CommandLine> allCommands(CommandLine root) {
        List<CommandLine> all = new ArrayList<>(List.of(root));
        root.getSubcommands().values().forEach(command -> all.addAll(allCommands(command)));
        return all;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "privacyy             | unknown command or argument privacyy | sapwood privacy",
                "doctor --bakend simd | unknown option --bakend              | --backend",
                "doctor --threads two | '--threads'                          | 'two' is not an int",
                "doctor --backend gpu | expected one of auto, cuda, simd, scalar   | got 'gpu'",
                "privacy              | a command is missing                 | sapwood privacy --help",
                "parity --clip-norm 1 | Missing required options             | --config",
            })
    void wrongUsageExitsWith2AndPointsTheWay(String args, String first, String second) {
        Run.of(args).failed(2, "sapwood: ", first, second);
    }

    @Test
    void aMissingCommandIsWrongUsage() {
        Run.of().failed(2, "a command is missing");
    }

    @Test
    void anUnexpectedFailureIsOneLineUnlessTheTraceIsAskedFor() {
        CommandLine command = new CommandLine(new Main());
        StringWriter err = new StringWriter();
        command.setErr(new PrintWriter(err, true));
        command.parseArgs("doctor");
        assertEquals(1, Failures.report(new IllegalStateException("no idea\nsecond line"), command));
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertTrue(
                err.toString().contains("IllegalStateException: no idea (run again with --stacktrace"), err.toString());

        command.parseArgs("doctor", "--stacktrace");
        Failures.report(new IllegalStateException("no idea"), command);
        assertTrue(err.toString().contains("\tat " + MainTest.class.getName()), err.toString());
    }

    @Test
    void ioFailuresNameTheFileAndTheFullDisk() {
        CommandLine command = new CommandLine(new Main());
        StringWriter err = new StringWriter();
        command.setErr(new PrintWriter(err, true));
        Failures.report(new NoSuchFileException("images/x.png"), command);
        Failures.report(new UncheckedIOException(new IOException("No space left on device")), command);
        assertEquals(
                List.of(
                        "sapwood: images/x.png: no such file or folder",
                        "sapwood: No space left on device: free some space and try again"),
                err.toString().lines().toList());
        assertFalse(err.toString().contains("Exception"), err.toString());
    }
}
