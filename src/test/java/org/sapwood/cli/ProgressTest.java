package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProgressTest {
    private final StringWriter text = new StringWriter();
    private long seconds;

    private Progress progress(Progress.Style style) {
        return new Progress(
                new PrintWriter(text),
                "training",
                style,
                () -> Duration.ofSeconds(seconds).toNanos());
    }

    @Test
    void linesComeAtMostEveryFiveSecondsAndAtTheEnd() {
        try (Progress progress = progress(Progress.Style.LINES)) {
            for (int step = 1; step <= 10; step++) {
                progress.step(step, 10, 0.1 * step, 50);
                seconds += 2;
            }
        }
        assertEquals(
                List.of(
                        "training: step 1/10, ε spent <= 0.100 (RDP), 50 images/s",
                        "training: step 4/10, ε spent <= 0.400 (RDP), 50 images/s, ETA 12 s",
                        "training: step 7/10, ε spent <= 0.700 (RDP), 50 images/s, ETA 6 s",
                        "training: step 10/10, ε spent <= 1.000 (RDP), 50 images/s"),
                text.toString().lines().toList());
    }

    /** The steps before a resume took none of this process's time. */
    @Test
    void timeLeftCountsFromWhereThisProcessBegan() {
        Progress progress = progress(Progress.Style.LINES);
        progress.step(900, 1000, Double.NaN, Double.NaN);
        seconds = 10;
        progress.step(901, 1000, Double.NaN, Double.NaN);
        assertEquals(
                "training: step 901/1000, ETA 16 min 30 s",
                text.toString().lines().toList().getLast());
    }

    @Test
    void theBarRedrawsOneLine() {
        try (Progress progress = progress(Progress.Style.BAR)) {
            progress.step(0, 4, Double.NaN, 1000);
            seconds = 1;
            progress.step(2, 4, Double.NaN, 9);
        }
        String first = "training [........................] 0/4, 1000 images/s";
        String second = "training [############............] 2/4, 9 images/s, ETA 1 s";
        assertEquals("\r" + first + "\r" + second + System.lineSeparator(), text.toString());
    }

    @Test
    void aShorterLineCoversTheLongerOneBeforeIt() {
        Progress progress = progress(Progress.Style.BAR);
        progress.step(2, 4, 1.5, 10);
        progress.step(4, 4, Double.NaN, Double.NaN);
        String second = "training [########################] 4/4";
        assertEquals(second, drawn().get(2).stripTrailing());
        assertEquals(drawn().get(1).length(), drawn().get(2).length());
    }

    private List<String> drawn() {
        return List.of(text.toString().split("\r", -1));
    }

    @Test
    void quietShowsNothing() {
        progress(Progress.Style.NONE).step(1, 2, 1, 1);
        assertEquals("", text.toString());
    }

    @ParameterizedTest
    @CsvSource({"400, 0 s", "59400, 59 s", "59600, 1 min 0 s", "192000, 3 min 12 s", "7500000, 2 h 5 min"})
    void durationsHaveTwoUnits(long millis, String expected) {
        assertEquals(expected, Durations.text(Duration.ofMillis(millis)));
    }
}
