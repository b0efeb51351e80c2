package org.sapwood.cli;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Numbers for people that stay on the safe side: a privacy cost or a noise level is never shown smaller than it is. */
final class Rounding {
    private static final MathContext SIX_DIGITS_UP = new MathContext(6, RoundingMode.CEILING);

    private Rounding() {}

    /**
     * At most six significant digits, rounded up.
     *
     * @param value any, also infinite
     */
    static String up(double value) {
        return Double.isFinite(value)
                ? new BigDecimal(value)
                        .round(SIX_DIGITS_UP)
                        .stripTrailingZeros()
                        .toPlainString()
                : String.valueOf(value);
    }
}
