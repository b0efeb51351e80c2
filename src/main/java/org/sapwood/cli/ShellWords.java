package org.sapwood.cli;

import java.util.List;
import java.util.stream.Collectors;

/** Command lines as a shell takes them. */
final class ShellWords {
    private ShellWords() {}

    /** Joins words, quoting those that a shell would not take as one. */
    static String join(List<String> words) {
        return words.stream().map(ShellWords::quote).collect(Collectors.joining(" "));
    }

    private static String quote(String word) {
        return word.matches("[\\w@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
