package org.sapwood.io;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The machine and runtime a run was made on, for {@code run.json} and {@code sapwood doctor}.
 *
 * @param sapwood version of this program, {@code development} when it does not run from its jar
 * @param jdk vendor and version of the Java runtime, for example {@code Eclipse Adoptium 25.0.3+9}
 * @param os name, version and architecture of the operating system
 * @param cpu model name of the processor, {@code unknown} where the system does not tell
 * @param cores processors available to this process
 * @param memoryMib physical memory in MiB (the container's limit inside one), 0 where the system does not tell
 * @param maxHeapMib most the Java heap may grow to, in MiB
 */
public record HostFacts(String sapwood, String jdk, String os, String cpu, int cores, long memoryMib, long maxHeapMib) {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final int MIB_SHIFT = 20;

    /**
     * Collects the facts; never fails.
     *
     * @return the facts of this process
     */
    public static HostFacts collect() {
        Runtime runtime = Runtime.getRuntime();
        return new HostFacts(
                Optional.ofNullable(HostFacts.class.getPackage().getImplementationVersion())
                        .orElse("development"),
                System.getProperty("java.vendor", "unknown") + " " + Runtime.version(),
                System.getProperty("os.name", "unknown") + " " + System.getProperty("os.version", "") + " "
                        + System.getProperty("os.arch", ""),
                field(CPU_INFO, "model name").orElse("unknown"),
                runtime.availableProcessors(),
                physicalMemoryBytes() >> MIB_SHIFT,
                runtime.maxMemory() >> MIB_SHIFT);
    }

    /**
     * The most physical memory this process has held so far (Linux {@code VmHWM}).
     *
     * @return MiB, empty where the system does not tell
     */
    public static Optional<Long> peakResidentMib() {
        return field(STATUS, "VmHWM")
                .map(text -> Long.parseLong(text.replace("kB", "").strip()) >> 10);
    }

    private static long physicalMemoryBytes() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean bean
                ? bean.getTotalMemorySize()
                : 0;
    }

    private static Optional<String> field(Path file, String key) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(line -> List.of(line.split(":", 2)))
                    .filter(parts ->
                            parts.size() == 2 && parts.getFirst().strip().equals(key))
                    .map(parts -> parts.getLast().strip())
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
