package org.sapwood.cli.compare;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Runs each command in a JVM of its own, started like this one. So the peak memory that a run records is its own, what
 * one leaves behind in a process (compiled code, a heap that has grown, a device's context) reaches no other, and a run
 * that dies of memory takes only itself along. A start costs about a second.
 *
 * @param mainClass whose {@code main} takes the words of a command line
 */
public record ChildJvm(String mainClass) implements Launcher {
    private static final long SECONDS_TO_END = 10;

    @Override
    public Task start(List<String> words, Path log) throws IOException {
        List<String> line = new ArrayList<>();
        line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(ChildJvm::isForChildren)
                .forEach(line::add);
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
        line.addAll(words);
        ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
        builder.redirectInput(ProcessBuilder.Redirect.from(nullDevice()));
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        Process process = builder.start();
        Thread end = Thread.ofPlatform().unstarted(() -> end(process));
        Runtime.getRuntime().addShutdownHook(end);
        return new Child(process, end);
    }

    /** Debuggers and other agents hold ports and files that two processes cannot share. */
    private static boolean isForChildren(String flag) {
        return Stream.of("-agentlib:", "-agentpath:", "-javaagent:", "-Xrunjdwp")
                .noneMatch(flag::startsWith);
    }

    private static File nullDevice() {
        return new File(System.getProperty("os.name", "").startsWith("Windows") ? "NUL" : "/dev/null");
    }

    private static void end(Process process) {
        process.destroy();
        try {
            if (!process.waitFor(SECONDS_TO_END, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    /** A child, which ends when this process is told to end. */
    private record Child(Process child, Thread end) implements Task {
        @Override
        public Optional<ProcessHandle> process() {
            return Optional.of(child.toHandle());
        }

        @Override
        public int await() throws InterruptedException {
            int code = child.waitFor();
            try {
                Runtime.getRuntime().removeShutdownHook(end);
            } catch (IllegalStateException e) {
                // This process is ending, and that is why the child did.
                return SIGTERM;
            }
            return code;
        }
    }

    /** Exit code of a process that was told to end. */
    static final int SIGTERM = 143;

    /** Exit code of a process that was interrupted from the keyboard. */
    static final int SIGINT = 130;
}
