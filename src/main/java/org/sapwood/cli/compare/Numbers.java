package org.sapwood.cli.compare;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers as the table shows them. */
final class Numbers {
    static final String MISSING = "–";

    private static final MathContext FOUR_DIGITS_UP = new MathContext(4, RoundingMode.CEILING);
    private static final MathContext FOUR_DIGITS = new MathContext(4, RoundingMode.HALF_EVEN);
    private static final double SMALL = 1e-3;

    private Numbers() {}

    /** A privacy cost, rounded up from the decimal that the ledger shows; ∞ where there is no bound. */
    static String cost(double value) {
        if (Double.isNaN(value)) {
            return MISSING;
        }
        return Double.isInfinite(value) ? "∞" : cost(BigDecimal.valueOf(value));
    }

    static String cost(BigDecimal value) {
        return text(value.round(FOUR_DIGITS_UP));
    }

    /** Any other number, four digits. */
    static String plain(double value) {
        return Double.isFinite(value) ? text(new BigDecimal(value).round(FOUR_DIGITS)) : MISSING;
    }

    private static String text(BigDecimal value) {
        BigDecimal shown = value.signum() == 0 ? BigDecimal.ZERO : value.stripTrailingZeros();
        boolean tiny = shown.signum() != 0 && shown.abs().doubleValue() < SMALL;
        return tiny ? scientific(shown) : shown.toPlainString();
    }

    /** As 1.39e-5. */
    private static String scientific(BigDecimal value) {
        int exponent = value.precision() - value.scale() - 1;
        return value.scaleByPowerOfTen(-exponent).toPlainString() + "e" + exponent;
    }

    /** A mean with a fixed number of decimals. */
    static String mean(Spread spread, int decimals) {
        return spread.isKnown() ? fixed(spread.mean(), decimals) : MISSING;
    }

    /** A mean and its deviation over several repeats. */
    static String spread(Spread spread, int decimals) {
        return spread.count() > 1
                ? mean(spread, decimals) + " ± " + fixed(spread.deviation(), decimals)
                : mean(spread, decimals);
    }

    static String fixed(double value, int decimals) {
        return String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }
}
