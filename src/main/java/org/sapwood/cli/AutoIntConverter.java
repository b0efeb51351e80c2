package org.sapwood.cli;

import java.util.OptionalInt;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a whole number, or {@code auto} for one that the program works out. */
final class AutoIntConverter implements ITypeConverter<OptionalInt> {
    @Override
    public OptionalInt convert(String text) {
        if (text.equalsIgnoreCase("auto")) {
            return OptionalInt.empty();
        }
        try {
            return OptionalInt.of(Integer.parseInt(text));
        } catch (NumberFormatException e) {
            throw new TypeConversionException("expected auto or a whole number, got '" + text + "'");
        }
    }
}
