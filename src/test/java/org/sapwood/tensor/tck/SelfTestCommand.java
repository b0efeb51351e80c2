package org.sapwood.tensor.tck;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.UniqueId;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.sapwood.tensor.Backends;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code sapwood selftest}: the conformance suite on the machine where Sapwood is to work, from class files and without
 * a build. It stands among the tests since the program itself does not carry them.
 */
@Command(
        name = "sapwood selftest",
        header = "Check the backends of this machine: every primitive against its reference.",
        description = {
            "",
            "Runs the conformance suite, and for cuda the tests of single kernels and of whole runs on the device.",
            "Exit codes: 0 all passed, 1 a test failed or the backend cannot run here, 2 wrong usage.",
            "",
        },
        sortOptions = false)
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
public final class SelfTestCommand implements Callable<Integer> {
    private static final String CUDA = "cuda";

    /** Whole runs on a device; its package also holds tests that have nothing to do with backends. */
    private static final String DEVICE_RUNS = "org.sapwood.synthesis.DeviceRunTest";

    /** Tests the driver for machines without a GPU, which it builds from the project's sources. */
    private static final String NEEDS_SOURCES = ".*\\.EmulatorTest";

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description = "Test this one alone, and fail if it cannot run (default: all that run here).")
    private @Nullable String backend;

    @Option(names = "--verbose", description = "A line for each test, not only for failures.")
    private boolean verbose;

    @SuppressWarnings("UnusedVariable") // picocli acts on it
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    /**
     * Runs the tests and ends the JVM with the exit code.
     *
     * @param args the command line
     */
    public static void main(String[] args) {
        System.exit(new CommandLine(new SelfTestCommand()).execute(args));
    }

    @Override
    public Integer call() {
        List<String> names = Backends.names();
        if (backend != null && !names.contains(backend)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--backend must be one of " + String.join(", ", names) + ", got '" + backend + "'");
        }
        PrintWriter out = spec.commandLine().getOut();
        List<String> tested = new ArrayList<>();
        for (String name : backend == null ? names : List.of(backend)) {
            String reason = Backends.unavailable(name);
            if (reason == null) {
                out.println("testing " + name + " (" + Backends.choose(name).description() + ")");
                tested.add(name);
            } else if (backend == null) {
                out.println("not testing " + name + ": " + reason);
            } else {
                spec.commandLine().getErr().println("sapwood: backend " + name + " cannot run here: " + reason);
                return ExitCode.SOFTWARE;
            }
        }
        out.flush();
        SelfTestListener listener = new SelfTestListener(out, verbose);
        LauncherFactory.create().execute(request(tested), listener);
        listener.summarize(String.join(", ", tested));
        int least = tested.size() * BackendConformanceTest.casesByOp().size();
        if (listener.passed() < least && listener.failed() == 0) {
            out.println("at least " + least + " tests were expected: the suite is not all there");
        }
        return listener.failed() == 0 && listener.passed() >= least ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private LauncherDiscoveryRequest request(List<String> tested) {
        List<DiscoverySelector> selectors = new ArrayList<>();
        if (backend == null) {
            selectors.add(DiscoverySelectors.selectPackage(SelfTestCommand.class.getPackageName()));
        } else {
            selectors.addAll(suiteOf(backend));
        }
        if (tested.contains(CUDA)) {
            selectors.add(DiscoverySelectors.selectPackage("org.sapwood.tensor.cuda"));
            selectors.add(DiscoverySelectors.selectClass(DEVICE_RUNS));
        }
        return LauncherDiscoveryRequestBuilder.request()
                .selectors(selectors)
                .filters(ClassNameFilter.excludeClassNamePatterns(NEEDS_SOURCES))
                .build();
    }

    /** The suite's tests of one backend: its part of the laws, and the known answers, which are quick on all. */
    private static List<DiscoverySelector> suiteOf(String name) {
        // By its id: JUnit 5.14 selects no test below a container that is given by its position.
        UniqueId laws = UniqueId.forEngine("junit-jupiter")
                .append("class", BackendConformanceTest.class.getName())
                .append("test-factory", "conformance()")
                .append("dynamic-container", "#" + (Backends.names().indexOf(name) + 1));
        return List.of(DiscoverySelectors.selectUniqueId(laws), DiscoverySelectors.selectClass(KnownAnswersTest.class));
    }
}
