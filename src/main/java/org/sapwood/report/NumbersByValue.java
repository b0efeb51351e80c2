package org.sapwood.report;

import java.nio.file.Path;
import java.util.Comparator;

/** The order in which people expect names: 2 before 10. */
final class NumbersByValue {
    /** Names that are whole numbers by their value, before all others by their text. */
    static final Comparator<String> ORDER = Comparator.comparing(NumbersByValue::isNumber)
            .reversed()
            .thenComparingLong(NumbersByValue::value)
            .thenComparing(Comparator.naturalOrder());

    /** The same over the last names of paths. */
    static final Comparator<Path> BY_FILE_NAME =
            Comparator.comparing((Path path) -> String.valueOf(path.getFileName()), ORDER);

    private NumbersByValue() {}

    private static boolean isNumber(String name) {
        return name.matches("\\d{1,18}");
    }

    private static long value(String name) {
        return isNumber(name) ? Long.parseLong(name) : 0;
    }
}
