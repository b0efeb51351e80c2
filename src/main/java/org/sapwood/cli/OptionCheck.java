package org.sapwood.cli;

import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * Checks of option values. A failure is a usage error (exit code 2) that names the option, what was expected and what
 * was given.
 *
 * @param command whose options are checked
 */
record OptionCheck(CommandSpec command) {

    /** Refuses a value that is not finite or not above 0. */
    OptionCheck positive(String option, double value) {
        return require(value > 0 && Double.isFinite(value), option, "> 0", value);
    }

    /** Refuses NaN and infinities. */
    OptionCheck finite(String option, double value) {
        return require(Double.isFinite(value), option, "finite", value);
    }

    /** Refuses a value outside (0, 1]. */
    OptionCheck fraction(String option, double value) {
        return require(value > 0 && value <= 1, option, "in (0, 1]", value);
    }

    /** Refuses a value outside [0, 1]. */
    OptionCheck inUnit(String option, double value) {
        return require(value >= 0 && value <= 1, option, "in [0, 1]", value);
    }

    /** Refuses a value outside (0, 1). */
    OptionCheck insideUnit(String option, double value) {
        return require(value > 0 && value < 1, option, "in (0, 1)", value);
    }

    /** Refuses a value below {@code least}. */
    OptionCheck atLeast(String option, long least, long value) {
        return require(value >= least, option, ">= " + least, value);
    }

    /** A usage error with a message of its own. */
    ParameterException error(String message) {
        return new ParameterException(command.commandLine(), message);
    }

    private OptionCheck require(boolean valid, String option, String expected, Number value) {
        if (!valid) {
            throw error(option + " must be " + expected + ", got " + text(value));
        }
        return this;
    }

    /** A number as a person types it: −1 rather than −1.0. */
    private static String text(Number value) {
        double number = value.doubleValue();
        return number == Math.rint(number) && Math.abs(number) < 1e15
                ? String.format(Locale.ROOT, "%d", value.longValue())
                : value.toString();
    }
}
