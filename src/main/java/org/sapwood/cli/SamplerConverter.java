package org.sapwood.cli;

import org.sapwood.diffusion.StepRule;
import org.sapwood.io.UserException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the name of a sampler. */
final class SamplerConverter implements ITypeConverter<StepRule> {
    @Override
    public StepRule convert(String text) {
        try {
            return StepRule.named(text);
        } catch (UserException e) {
            throw new TypeConversionException(String.valueOf(e.getMessage()));
        }
    }
}
