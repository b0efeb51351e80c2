package org.sapwood.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * The driver for machines without a GPU finds the mistakes planted in {@code kernels/emulator/tests/planted_bugs.cu} and
 * nothing in sound kernels, under 20 orders of threads each. The checks run in a program of their own, since a process
 * can hold one {@code libcuda.so.1} only; each line it prints is a test here.
 */
class EmulatorTest {
    private static final String REQUIRED = "SAPWOOD_REQUIRE_BACKENDS";
    private static final String OK = "ok ";
    private static final String FAILED = "FAILED ";

    /** Fewer lines than that would mean that the program ended early. */
    private static final int TESTS = 30;

    @TempDir
    private Path temp;

    @TestFactory
    Stream<DynamicTest> emulator() throws IOException, InterruptedException {
        if (!hasCompiler()) {
            String line = "the emulator is not tested: g++ is missing";
            if (Arrays.asList(System.getenv().getOrDefault(REQUIRED, "").split(","))
                    .contains("cuda")) {
                throw new AssertionError(line + " (required by " + REQUIRED + ")");
            }
            System.out.println(line);
            return abort(line);
        }
        Output build = run("sh", "kernels/build-emulator.sh", "--tests");
        assertEquals(0, build.exitCode(), () -> "the emulator does not build: " + build.all());

        Output tests = run("target/emulator-tests/run_tests");
        List<DynamicTest> found = new ArrayList<>();
        for (String line : tests.out()) {
            if (line.startsWith(OK)) {
                found.add(dynamicTest(line.substring(OK.length()), () -> {}));
            } else if (line.startsWith(FAILED)) {
                found.add(dynamicTest(line.substring(FAILED.length()).split(":", 2)[0], () -> fail(line)));
            }
        }
        found.add(dynamicTest("runs every test", () -> {
            assertTrue(found.size() > TESTS, () -> found.size() - 1 + " tests ran: " + tests.all());
            boolean anyFailed = tests.out().stream().anyMatch(line -> line.startsWith(FAILED));
            assertEquals(anyFailed ? 1 : 0, tests.exitCode(), tests::all);
        }));
        return found.stream();
    }

    private static boolean hasCompiler() throws InterruptedException {
        String compiler = System.getenv().getOrDefault("CXX", "g++");
        try {
            return new ProcessBuilder(compiler, "--version")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private record Output(int exitCode, List<String> out, List<String> errors) {
        String all() {
            // Planted mistakes fill the errors with reports; the last ones tell why the program ended.
            return "exit code " + exitCode + "\n" + String.join("\n", out) + "\n"
                    + String.join("\n", errors.subList(Math.max(0, errors.size() - 20), errors.size()));
        }
    }

    private Output run(String... command) throws IOException, InterruptedException {
        Path out = Files.createTempFile(temp, "out", ".txt");
        Path errors = Files.createTempFile(temp, "errors", ".txt");
        int exitCode = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(errors.toFile())
                .start()
                .waitFor();
        return new Output(exitCode, Files.readAllLines(out), Files.readAllLines(errors));
    }
}
