package org.sapwood.cli;

import java.util.OptionalDouble;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a number, or {@code auto} for one that the program works out. */
final class AutoConverter implements ITypeConverter<OptionalDouble> {
    @Override
    public OptionalDouble convert(String text) {
        if (text.equalsIgnoreCase("auto")) {
            return OptionalDouble.empty();
        }
        try {
            return OptionalDouble.of(Double.parseDouble(text));
        } catch (NumberFormatException e) {
            throw new TypeConversionException("expected auto or a number, got '" + text + "'");
        }
    }
}
