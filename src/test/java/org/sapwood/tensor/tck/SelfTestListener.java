package org.sapwood.tensor.tck;

import java.io.PrintWriter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/** Prints failures as they happen, and counts. Tests run one after the other, so that what is open is a stack. */
final class SelfTestListener implements TestExecutionListener {
    /** Lines shown of one failure. */
    private static final int MOST_LINES = 12;

    private final PrintWriter out;
    private final boolean verbose;
    private final long start = System.nanoTime();
    private final Deque<String> open = new ArrayDeque<>();
    private int passed;
    private int failed;
    private int skipped;

    /**
     * Listens to one run.
     *
     * @param out receives the report
     * @param verbose whether to name each test as it starts, which also shows the one that hangs
     */
    SelfTestListener(PrintWriter out, boolean verbose) {
        this.out = out;
        this.verbose = verbose;
    }

    @Override
    public void executionStarted(TestIdentifier test) {
        open.addLast(test.getDisplayName());
        if (verbose && test.isTest()) {
            out.print(path() + " ... ");
            out.flush();
        }
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        switch (result.getStatus()) {
            case SUCCESSFUL -> {
                if (test.isTest()) {
                    passed++;
                    note("ok");
                }
            }
            case ABORTED -> {
                skipped++;
                note("skipped");
                out.println("skipped " + path() + ": " + message(result));
            }
            case FAILED -> {
                failed++;
                note("failed");
                out.println("FAILED  " + path());
                message(result).lines().limit(MOST_LINES).forEach(line -> out.println("        " + line));
            }
        }
        out.flush();
        open.removeLast();
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        skipped++;
        out.println("skipped " + test.getDisplayName() + ": " + reason);
    }

    int passed() {
        return passed;
    }

    int failed() {
        return failed;
    }

    /**
     * Prints the counts on one line.
     *
     * @param what was tested
     */
    void summarize(String what) {
        out.println(String.format(
                Locale.ROOT,
                "selftest of %s: %d passed, %d failed, %d skipped in %.1f s",
                what,
                passed,
                failed,
                skipped,
                (System.nanoTime() - start) * 1e-9));
        out.flush();
    }

    /** Ends the line that named the test when it started. */
    private void note(String outcome) {
        if (verbose) {
            out.println(outcome);
        }
    }

    /** The names of what is open, without the engine's. */
    private String path() {
        return open.stream().skip(1).collect(Collectors.joining(" > "));
    }

    private static String message(TestExecutionResult result) {
        @Nullable Throwable cause = result.getThrowable().orElse(null);
        if (cause == null) {
            return "no reason given";
        }
        String message = cause.getMessage();
        return message != null && cause instanceof AssertionError ? message : cause.toString();
    }
}
