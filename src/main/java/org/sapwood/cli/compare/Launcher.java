package org.sapwood.cli.compare;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Runs command lines. */
public interface Launcher {
    /**
     * Starts one.
     *
     * @param words of the command line, the command first
     * @param log what it prints is appended to this file
     * @throws IOException when it cannot be started
     */
    Task start(List<String> words, Path log) throws IOException;

    /** A command that was started. */
    interface Task {
        /** The process in which it runs, empty when that is this one. */
        Optional<ProcessHandle> process();

        /** Waits for the end and returns the exit code. */
        int await() throws InterruptedException;
    }
}
