package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.sapwood.io.Json;

/**
 * A command that was run in this process.
 *
 * @param code its exit code
 * @param out what it printed on standard output
 * @param err what it printed on standard error
 */
record Run(int code, String out, String err) {

    /** Runs the command line, its words given as one text without quotes or as separate arguments. */
    static Run of(Object... words) {
        String[] args = Arrays.stream(words)
                .flatMap(word -> word instanceof String text
                        ? Arrays.stream(text.split(" "))
                        : Arrays.stream(new Object[] {word}))
                .map(String::valueOf)
                .toArray(String[]::new);
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
        return new Run(code, out.toString(), err.toString());
    }

    /** Asserts that the command succeeded and returns the one JSON object that is all of its standard output. */
    Map<String, Object> json() {
        assertEquals(0, code, err);
        assertEquals(1, out.lines().count(), out);
        return Json.parseObject(out, "standard output");
    }

    /** Asserts the exit code and that standard error holds every one of {@code parts}, and nothing went to standard output. */
    void failed(int expectedCode, String... parts) {
        assertEquals(expectedCode, code, err);
        assertEquals("", out);
        for (String part : List.of(parts)) {
            assertTrue(err.contains(part), () -> "expected '" + part + "' in: " + err);
        }
        assertTrue(!err.contains("\tat "), err);
    }
}
