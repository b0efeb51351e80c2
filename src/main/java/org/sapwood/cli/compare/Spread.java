package org.sapwood.cli.compare;

import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Function;

/**
 * Mean and sample standard deviation of a measurement.
 *
 * @param mean of the values, NaN when there are none
 * @param deviation 0 for a single value
 * @param count of the values
 */
record Spread(double mean, double deviation, int count) {
    static final Spread NONE = new Spread(Double.NaN, 0, 0);

    /** Of those results that have the measurement. */
    static Spread of(List<CellResult> results, Function<CellResult, OptionalDouble> measurement) {
        double[] values = results.stream()
                .map(measurement)
                .filter(OptionalDouble::isPresent)
                .mapToDouble(OptionalDouble::getAsDouble)
                .toArray();
        if (values.length == 0) {
            return NONE;
        }
        double mean = 0;
        for (double value : values) {
            mean += value / values.length;
        }
        double squares = 0;
        for (double value : values) {
            squares += (value - mean) * (value - mean);
        }
        return new Spread(mean, Math.sqrt(squares / Math.max(1, values.length - 1)), values.length);
    }

    boolean isKnown() {
        return count > 0;
    }

    Spread times(double factor) {
        return new Spread(factor * mean, factor * deviation, count);
    }
}
