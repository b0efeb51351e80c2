package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Reader;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.stream.Collectors;
import org.sapwood.tensor.cuda.EmulatedFault;

/** Runs command lines in a process of their own, where what is found out once per process is found out anew. */
final class ChildProcess {
    private static final String BETWEEN_WORDS = "\n";

    private ChildProcess() {}

    /** What the process does. */
    static final class Commands {
        private Commands() {}

        /** Arguments: a file for the results, then command lines, the words of each on a line of their own. */
        public static void main(String[] args) throws IOException {
            Properties results = new Properties();
            List<String> commands = Arrays.asList(args).subList(1, args.length);
            for (int i = 0; i < commands.size(); i++) {
                StringWriter out = new StringWriter();
                StringWriter err = new StringWriter();
                String[] words = commands.get(i).split(BETWEEN_WORDS, -1);
                int code = Main.run(new PrintWriter(out, true), new PrintWriter(err, true), words);
                results.setProperty(i + "code", Integer.toString(code));
                results.setProperty(i + "out", out.toString());
                results.setProperty(i + "err", err.toString());
            }
            try (Writer file = Files.newBufferedWriter(Path.of(args[0]))) {
                results.store(file, null);
            }
        }
    }

    /**
     * Runs the commands, one after the other, and returns what became of each.
     *
     * @param folder for files of the process's output
     * @param fault of the emulated device, empty for none
     * @param properties flags of its JVM, such as {@code -Dname=value}
     * @param commands each as its words
     */
    static List<Run> run(Path folder, String fault, List<String> properties, List<List<Object>> commands)
            throws IOException, InterruptedException {
        Path file = folder.resolve("results.properties");
        Path printed = folder.resolve("printed.txt");
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Djava.awt.headless=true",
                "-Dsapwood.cuda.driver=" + EmulatedFault.library()));
        line.addAll(properties);
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), Commands.class.getName(), file.toString()));
        for (List<Object> command : commands) {
            line.add(command.stream().map(String::valueOf).collect(Collectors.joining(BETWEEN_WORDS)));
        }
        ProcessBuilder builder =
                new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(printed.toFile());
        builder.environment().put(EmulatedFault.VARIABLE, fault);
        int exitCode = builder.start().waitFor();
        String text = Files.readString(printed);
        assertEquals(0, exitCode, text);
        for (String stray : text.lines().toList()) {
            assertTrue(stray.startsWith("sapwood emulator: "), "printed beside the commands' output: " + stray);
        }
        Properties results = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            results.load(reader);
        }
        List<Run> runs = new ArrayList<>();
        for (int i = 0; i < commands.size(); i++) {
            runs.add(new Run(
                    Integer.parseInt(results.getProperty(i + "code")),
                    results.getProperty(i + "out"),
                    results.getProperty(i + "err")));
        }
        return runs;
    }
}
