package org.sapwood.cli;

import org.sapwood.data.ReadOptions;
import org.sapwood.io.UserException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code FROM:TO}. */
final class SubsetConverter implements ITypeConverter<ReadOptions.Subset> {
    @Override
    public ReadOptions.Subset convert(String text) {
        try {
            return ReadOptions.Subset.parse(text);
        } catch (UserException e) {
            throw new TypeConversionException(String.valueOf(e.getMessage()));
        }
    }
}
