package org.sapwood.tensor.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What {@code sapwood selftest} refuses; what it runs is this package itself. */
class SelfTestCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... args) {
        return new CommandLine(new SelfTestCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(args);
    }

    @Test
    void anUnknownBackendIsWrongUsage() {
        assertEquals(2, run("--backend", "abacus"));
        assertTrue(err.toString().contains("--backend must be one of "), err::toString);
        assertTrue(err.toString().contains("got 'abacus'"), err::toString);
    }

    @Test
    void helpNamesTheOptions() {
        assertEquals(0, run("--help"));
        assertTrue(out.toString().contains("--backend=NAME"), out::toString);
    }
}
