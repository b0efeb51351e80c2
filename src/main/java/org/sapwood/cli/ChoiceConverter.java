package org.sapwood.cli;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Reads an enum constant by the name that people type: {@code LAYER_WISE} is {@code layer-wise}.
 *
 * @param type the enum
 * @param <E> the enum
 */
record ChoiceConverter<E extends Enum<E>>(Class<E> type) implements ITypeConverter<E> {
    @Override
    public E convert(String text) {
        return Arrays.stream(type.getEnumConstants())
                .filter(constant -> name(constant).equals(text.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException("expected one of " + names() + ", got '" + text + "'"));
    }

    /** The typed name of a constant. */
    static String name(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private String names() {
        return Arrays.stream(type.getEnumConstants()).map(ChoiceConverter::name).collect(Collectors.joining(", "));
    }
}
