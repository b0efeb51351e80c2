package org.sapwood.cli;

import java.time.Duration;

/** Durations as people say them. */
final class Durations {
    private Durations() {}

    /**
     * Two units at most: {@code 45 s}, {@code 3 min 12 s}, {@code 2 h 5 min}.
     *
     * @param duration not negative
     */
    static String text(Duration duration) {
        Duration rounded = duration.plusMillis(500);
        if (rounded.toMinutes() == 0) {
            return rounded.toSeconds() + " s";
        }
        if (rounded.toHours() == 0) {
            return rounded.toMinutes() + " min " + rounded.toSecondsPart() + " s";
        }
        return rounded.toHours() + " h " + rounded.toMinutesPart() + " min";
    }
}
