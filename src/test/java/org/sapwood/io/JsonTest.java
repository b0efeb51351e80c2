package org.sapwood.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonTest {
    private enum Adjacency {
        ADD_REMOVE
    }

    private record Event(String kind, double sigma, int[] steps, Adjacency adjacency) {}

    @Test
    void keysStandInAFixedOrder() {
        Map<String, Object> ordered = new LinkedHashMap<>();
        ordered.put("z", 1);
        ordered.put("a", Map.of("y", 1, "x", 2, "w", 3));
        assertEquals("{\"z\":1,\"a\":{\"w\":3,\"x\":2,\"y\":1}}", Json.line(ordered));
    }

    @Test
    void recordsAndArraysAreWrittenByTheirParts() {
        assertEquals(
                "{\"kind\":\"train\",\"sigma\":1.5,\"steps\":[1,2],\"adjacency\":\"ADD_REMOVE\"}",
                Json.line(new Event("train", 1.5, new int[] {1, 2}, Adjacency.ADD_REMOVE)));
        assertEquals("[0.1,\"a/b\",null,true]", Json.line(new Object[] {0.1f, Path.of("a/b"), null, true}));
        assertThrows(IllegalArgumentException.class, () -> Json.line(new Object()));
    }

    @Test
    void infiniteNumbersSurviveTheJourney() {
        String text = Json.line(Map.of("epsilon", Double.POSITIVE_INFINITY, "loss", List.of(Float.NaN)));
        assertEquals("{\"epsilon\":\"Infinity\",\"loss\":[\"NaN\"]}", text);
        assertEquals(
                Double.POSITIVE_INFINITY,
                Json.number(Json.parseObject(text, "test").get("epsilon"), "epsilon"));
        assertThrows(UserException.class, () -> Json.number("much", "epsilon"));
        assertThrows(UserException.class, () -> Json.number(null, "epsilon"));
    }

    @Test
    void prettyTextEndsWithANewlineAndReadsBack(@TempDir Path folder) throws IOException {
        Map<String, Object> value = Map.of("q", 0.04, "steps", 2250);
        Path file = Files.writeString(folder.resolve("run.json"), Json.pretty(value));
        assertTrue(Files.readString(file).endsWith("}\n"));
        assertEquals(value, Json.readObject(file));
    }

    @Test
    void brokenFilesAreNamed(@TempDir Path folder) throws IOException {
        for (byte[] content :
                List.of("{\"q\":".getBytes(StandardCharsets.UTF_8), "[1]".getBytes(StandardCharsets.UTF_8), new byte[] {
                    '{', (byte) 0xff
                })) {
            Path file = Files.write(folder.resolve("run.json"), content);
            UserException refusal = assertThrows(UserException.class, () -> Json.readObject(file));
            assertTrue(refusal.getMessage().startsWith(file.toString()), refusal.getMessage());
            assertEquals(1, refusal.getMessage().lines().count());
        }
        assertThrows(UserException.class, () -> Json.readObject(folder.resolve("absent.json")));
    }
}
