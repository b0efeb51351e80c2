package org.sapwood.synthesis;

import org.sapwood.io.UserException;

/** Range checks of options; the messages name the option, what was expected and what came. */
public final class OptionChecks {
    private OptionChecks() {}

    public static void require(boolean condition, String expectation, Object value) {
        if (!condition) {
            throw new UserException(expectation + ", got " + value);
        }
    }

    public static void atLeast(String option, int value, int least) {
        require(value >= least, option + " must be >= " + least, value);
    }

    public static void positive(String option, double value) {
        require(value > 0 && Double.isFinite(value), option + " must be > 0", value);
    }

    /** In [0, 1]. */
    public static void share(String option, double value) {
        require(value >= 0 && value <= 1, option + " must be in [0, 1]", value);
    }

    /** In (0, 1]. */
    public static void positiveShare(String option, double value) {
        require(value > 0 && value <= 1, option + " must be in (0, 1]", value);
    }

    /** In [0, 1). */
    public static void decay(String option, double value) {
        require(value >= 0 && value < 1, option + " must be in [0, 1)", value);
    }
}
