package org.sapwood.cli;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.HostFacts;
import org.sapwood.tensor.Backends;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;

/** {@code sapwood doctor}: what Sapwood finds on this machine, and what would make it better. */
@Command(
        name = "doctor",
        header = "What is here: Java, processor, memory, backends, and what would mend or speed it up.",
        description = {
            "",
            "Shows the Java, cores, memory and backends found here, why a backend is not used and the flag that mends"
                    + " it.",
            "Exit code 1 when the Java does not fit.",
            "",
        })
final class DoctorCommand implements Callable<Integer> {
    /** Below this a training step at the default batch size may not fit. */
    private static final long LEAST_HEAP_MIB = 1024;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    /**
     * One backend as it stands here.
     *
     * @param name of the backend
     * @param available whether it runs here
     * @param detail what would run, or why it cannot
     */
    private record BackendState(String name, boolean available, String detail) {}

    @Override
    public Integer call() {
        HostFacts host = HostFacts.collect();
        boolean javaFits = JavaVersion.fits(Runtime.version());
        List<BackendState> backends =
                Backends.names().stream().map(DoctorCommand::state).toList();
        String chosen = Backends.choose("auto").name();
        List<String> collectors = ManagementFactory.getGarbageCollectorMXBeans().stream()
                .map(GarbageCollectorMXBean::getName)
                .toList();
        List<String> advice = advice(host, javaFits, backends);

        Map<String, Object> data = new LinkedHashMap<>();
        data.put("sapwood", host.sapwood());
        data.put("jdk", host.jdk());
        data.put("jdk_required", JavaVersion.OLDEST.toString());
        data.put("jdk_fits", javaFits);
        data.put("os", host.os());
        data.put("cpu", host.cpu());
        data.put("cores", host.cores());
        data.put("memory_mib", host.memoryMib());
        data.put("max_heap_mib", host.maxHeapMib());
        data.put("gc", collectors);
        data.put("backend", chosen);
        data.put("backends", backends);
        data.put("cuda", Backends.details("cuda"));
        data.put("advice", advice);
        common.result(data, text(host, javaFits, chosen, backends, collectors, advice));
        return javaFits ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private static BackendState state(String name) {
        @Nullable String reason = Backends.unavailable(name);
        return reason == null
                ? new BackendState(name, true, Backends.choose(name).description())
                : new BackendState(name, false, reason);
    }

    private static List<String> text(
            HostFacts host,
            boolean javaFits,
            String chosen,
            List<BackendState> backends,
            List<String> collectors,
            List<String> advice) {
        List<String> lines = new ArrayList<>();
        lines.add(row("Sapwood", host.sapwood()));
        lines.add(row("Java", host.jdk() + (javaFits ? " (fits)" : " (does not fit)")));
        lines.add(row("System", host.os()));
        lines.add(row("Processor", host.cpu() + ", " + host.cores() + " cores"));
        lines.add(row("Memory", host.memoryMib() + " MiB, heap up to " + host.maxHeapMib() + " MiB"));
        lines.add(row("Collector", String.join(", ", collectors)));
        for (BackendState backend : backends) {
            String use =
                    backend.name().equals(chosen) ? "in use: " : backend.available() ? "can run: " : "cannot run: ";
            lines.add(row("Backend " + backend.name(), use + backend.detail()));
            Backends.details(backend.name()).forEach(line -> lines.add(row("", line)));
        }
        advice.forEach(line -> lines.add(row("Advice", line)));
        return lines;
    }

    private static List<String> advice(HostFacts host, boolean javaFits, List<BackendState> backends) {
        List<String> advice = new ArrayList<>();
        if (!javaFits) {
            advice.add("install a JDK 25 of " + JavaVersion.OLDEST
                    + " or later, for example Eclipse Temurin, and point JAVA_HOME at it");
        }
        if (backends.stream().anyMatch(backend -> backend.name().equals("simd") && !backend.available())) {
            advice.add("start through the launcher sapwood, which adds --add-modules jdk.incubator.vector, and leave"
                    + " SAPWOOD_VECTOR unset");
        }
        if (host.maxHeapMib() < LEAST_HEAP_MIB) {
            advice.add("give Java a larger heap: SAPWOOD_JAVA_OPTS=-Xmx" + LEAST_HEAP_MIB + "m");
        }
        return advice;
    }

    private static String row(String name, String value) {
        return String.format("%-15s %s", name, value);
    }
}
