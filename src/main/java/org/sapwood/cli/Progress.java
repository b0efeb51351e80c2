package org.sapwood.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.sapwood.synthesis.ProgressListener;

/**
 * Shows how far a long piece of work is: a bar that redraws itself on a terminal, plain lines elsewhere (at most one in
 * five seconds, so that a log stays readable). Either tells steps, ε spent where the work is private (by RDP, which is
 * quick and an upper bound of the PLD value that the ledger reports), images per second and the time left. Nothing shown
 * depends on the private data.
 */
final class Progress implements ProgressListener, AutoCloseable {
    private static final int BAR_CELLS = 24;
    private static final Duration BETWEEN_BARS = Duration.ofMillis(200);
    private static final Duration BETWEEN_LINES = Duration.ofSeconds(5);

    private final PrintWriter out;
    private final String task;
    private final Style style;
    private final LongSupplier nanoTime;

    private boolean started;
    private long firstStep;
    private long firstTime;
    private long lastShown;
    private int drawn;

    /** How progress is shown. */
    enum Style {
        BAR,
        LINES,
        NONE
    }

    Progress(PrintWriter out, String task, Style style, LongSupplier nanoTime) {
        this.out = out;
        this.task = task;
        this.style = style;
        this.nanoTime = nanoTime;
    }

    /** Shows on {@code err} in the style that fits where this process runs. */
    @SuppressWarnings("SystemConsoleNull") // Java 25 returns null again where there is no terminal
    static Progress on(PrintWriter err, String task) {
        Console console = System.console();
        boolean terminal = console != null && console.isTerminal();
        return new Progress(err, task, terminal ? Style.BAR : Style.LINES, System::nanoTime);
    }

    /** Shows nothing. */
    static Progress silent() {
        return new Progress(new PrintWriter(PrintWriter.nullWriter()), "", Style.NONE, System::nanoTime);
    }

    @Override
    public void step(long done, long total, double epsilonSpent, double imagesPerSecond) {
        if (style == Style.NONE) {
            return;
        }
        long now = nanoTime.getAsLong();
        if (!started) {
            started = true;
            firstStep = done;
            firstTime = now;
        } else if (done < total && now - lastShown < pause().toNanos()) {
            return;
        }
        lastShown = now;
        String facts = facts(done, total, epsilonSpent, imagesPerSecond, now);
        if (style == Style.LINES) {
            out.println(task + ": step " + done + "/" + total + facts);
        } else {
            draw(bar(done, total) + " " + done + "/" + total + facts);
        }
        out.flush();
    }

    /** Ends the display: what is printed next begins on a line of its own. */
    @Override
    public void close() {
        if (drawn > 0) {
            out.println();
            out.flush();
            drawn = 0;
        }
    }

    private Duration pause() {
        return style == Style.BAR ? BETWEEN_BARS : BETWEEN_LINES;
    }

    private String facts(long done, long total, double epsilonSpent, double imagesPerSecond, long now) {
        StringBuilder facts = new StringBuilder();
        if (!Double.isNaN(epsilonSpent)) {
            facts.append(String.format(Locale.ROOT, ", ε spent <= %.3f (RDP)", epsilonSpent));
        }
        if (!Double.isNaN(imagesPerSecond)) {
            facts.append(String.format(Locale.ROOT, ", %.0f images/s", imagesPerSecond));
        }
        if (done > firstStep && done < total) {
            double perStep = (double) (now - firstTime) / (done - firstStep);
            facts.append(", ETA ").append(Durations.text(Duration.ofNanos((long) (perStep * (total - done)))));
        }
        return facts.toString();
    }

    private String bar(long done, long total) {
        int full = total == 0 ? BAR_CELLS : (int) (done * BAR_CELLS / total);
        return task + " [" + "#".repeat(full) + ".".repeat(BAR_CELLS - full) + "]";
    }

    /** Redraws the line, with blanks over what a longer line before it left. */
    private void draw(String line) {
        out.print("\r" + line + " ".repeat(Math.max(0, drawn - line.length())));
        drawn = line.length();
    }
}
