package org.sapwood.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Numbers and names for people. */
final class Figures {
    private static final MathContext FOUR_UP = new MathContext(4, RoundingMode.CEILING);
    private static final MathContext FOUR = new MathContext(4, RoundingMode.HALF_EVEN);

    private Figures() {}

    /** The number in a field, NaN where there is none. */
    static double number(@Nullable Object value) {
        return switch (value) {
            case Number n -> n.doubleValue();
            case String s when s.equals("Infinity") -> Double.POSITIVE_INFINITY;
            case String s when s.equals("-Infinity") -> Double.NEGATIVE_INFINITY;
            case null, default -> Double.NaN;
        };
    }

    /** Four significant digits, rounded up: a privacy cost is never shown smaller than it is. */
    static String up(double value) {
        return digits(value, FOUR_UP);
    }

    /** Four significant digits. */
    static String rounded(double value) {
        return digits(value, FOUR);
    }

    private static String digits(double value, MathContext context) {
        if (Double.isNaN(value)) {
            return "unknown";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "∞" : "−∞";
        }
        if (value == 0) {
            return "0";
        }
        BigDecimal few = BigDecimal.valueOf(value).round(context).stripTrailingZeros();
        int exponent = few.precision() - few.scale() - 1;
        String text;
        if (exponent >= 7 || exponent < -3) {
            text = few.scaleByPowerOfTen(-exponent).toPlainString() + "\u00a0×\u00a010" + superscript(exponent);
        } else if (exponent >= 4) {
            text = String.format(Locale.ROOT, "%,d", few.longValue());
        } else {
            text = few.toPlainString();
        }
        return text.replace('-', '−');
    }

    private static String superscript(int exponent) {
        StringBuilder text = new StringBuilder();
        for (char c : String.valueOf(exponent).toCharArray()) {
            text.append(c == '-' ? '⁻' : "⁰¹²³⁴⁵⁶⁷⁸⁹".charAt(c - '0'));
        }
        return text.toString();
    }

    /** A whole number with its thousands apart. */
    static String count(double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, "%,d", Math.round(value)) : rounded(value);
    }

    /** A share in [0, 1] as a percentage with one decimal. */
    static String percent(double share) {
        return Double.isFinite(share) ? String.format(Locale.ROOT, "%.1f\u00a0%%", 100 * share) : "unknown";
    }

    /** A time in seconds as hours, minutes and seconds. */
    static String duration(double seconds) {
        if (!Double.isFinite(seconds)) {
            return "unknown";
        }
        if (seconds < 60) {
            return String.format(Locale.ROOT, "%.1f\u00a0s", seconds);
        }
        long whole = Math.round(seconds);
        return whole < 3600
                ? whole / 60 + " min " + whole % 60 + " s"
                : whole / 3600 + " h " + whole % 3600 / 60 + " min";
    }

    /** {@code peak_rss_mib} and {@code maxShift} as words. */
    static String words(String name) {
        String spaced = name.replace('_', ' ').replaceAll("(?<=[a-z])(?=[A-Z])", " ");
        return spaced.isEmpty() ? spaced : spaced.toLowerCase(Locale.ROOT);
    }

    /** {@code DP_SAPF} as it is written on the command line. */
    static String optionName(String constant) {
        return constant.toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
