package org.sapwood.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sapwood.privacy.accounting.PrivacyEvent;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code q=0.04,sigma=1.5,steps=2250} as a privacy event of unit sensitivity. */
final class EventConverter implements ITypeConverter<PrivacyEvent> {
    private static final List<String> KEYS = List.of("q", "sigma", "steps");
    private static final String FORM = "expected q=RATE,sigma=NOISE,steps=COUNT";

    @Override
    public PrivacyEvent convert(String text) {
        Map<String, String> values = new LinkedHashMap<>();
        for (String part : text.split(",", -1)) {
            String[] sides = part.split("=", 2);
            String key = sides[0].strip();
            if (sides.length != 2 || !KEYS.contains(key) || values.putIfAbsent(key, sides[1].strip()) != null) {
                throw new TypeConversionException("'" + text + "' is wrong at '" + part + "'; " + FORM);
            }
        }
        for (String key : KEYS) {
            if (!values.containsKey(key)) {
                throw new TypeConversionException("'" + text + "' lacks " + key + "; " + FORM);
            }
        }
        double rate = number(values, "q");
        double sigma = number(values, "sigma");
        double steps = number(values, "steps");
        require(rate >= 0 && rate <= 1, "q must be in [0, 1]", values.get("q"));
        require(sigma >= 0 && Double.isFinite(sigma), "sigma must be finite and >= 0", values.get("sigma"));
        require(
                steps >= 0 && steps <= Integer.MAX_VALUE && steps == Math.rint(steps),
                "steps must be a whole number >= 0",
                values.get("steps"));
        return new PrivacyEvent(text, rate, sigma, 1, (int) steps);
    }

    private static double number(Map<String, String> values, String key) {
        try {
            return Double.parseDouble(values.getOrDefault(key, ""));
        } catch (NumberFormatException e) {
            throw new TypeConversionException(key + " must be a number, got " + values.get(key));
        }
    }

    private static void require(boolean valid, String expected, @Nullable String got) {
        if (!valid) {
            throw new TypeConversionException(expected + ", got " + got);
        }
    }
}
