/**
 * The command line: one class per command, the options all commands share, the progress display, and the one place that
 * turns failures into a line of text and an exit code (0 done, 1 failed, 2 usage). A command reads and checks options,
 * calls the layers below and prints; results go to standard output (as one JSON object with {@code --json}), everything
 * else to standard error.
 */
@NullMarked
package org.sapwood.cli;

import org.jspecify.annotations.NullMarked;
