package org.sapwood.cli.compare;

import java.util.List;

/** What the commands' own parser says of command lines. */
public interface CommandLines {
    /**
     * Parses a command line and runs nothing.
     *
     * @param cell whose command it is, for the message
     * @param words of the command line, the command first
     * @throws RuntimeException with the command's own message when it does not take them
     */
    void check(String cell, List<String> words);

    /** Whether the command knows this option, as {@code --no-label}. */
    boolean knows(Stage command, String option);
}
