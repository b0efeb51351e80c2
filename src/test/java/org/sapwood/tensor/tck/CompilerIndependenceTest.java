package org.sapwood.tensor.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The same call gives the same bits before and after the JVM compiles it. The order of the Vector API's own lane sums,
 * for one, is left open, and differs between its interpreted and its compiled form.
 */
class CompilerIndependenceTest {
    /** Calls after which the kernels have been compiled by C2. */
    private static final int HOT = 250;

    @Test
    void interpretedAndCompiledBitsAgree(@TempDir Path folder) throws IOException, InterruptedException {
        Path output = folder.resolve("interpreted.txt");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xint");
        // The options of this JVM, such as -XX:UseAVX, which decides the vector width and with it the bits.
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> option.startsWith("-XX:"))
                .forEach(command::add);
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()) {
            command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), BitDigest.class.getName()));
        Process interpreter = new ProcessBuilder(command)
                .redirectOutput(output.toFile())
                .redirectError(folder.resolve("errors.txt").toFile())
                .start();
        List<String> compiled = BitDigest.lines(HOT);
        assertTrue(interpreter.waitFor(10, TimeUnit.MINUTES), "the interpreter did not end");
        assertEquals(0, interpreter.exitValue(), Files.readString(folder.resolve("errors.txt")));
        List<String> different = new ArrayList<>(Files.readAllLines(output));
        assertEquals(compiled.size(), different.size());
        different.removeAll(compiled);
        assertEquals(List.of(), different, "the bits of these depend on the compiler");
    }
}
