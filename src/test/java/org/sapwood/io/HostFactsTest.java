package org.sapwood.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class HostFactsTest {
    @Test
    void everyFactIsFilled() {
        HostFacts facts = HostFacts.collect();
        assertTrue(facts.jdk().contains(Runtime.version().toString()), facts.jdk());
        assertTrue(facts.cores() >= 1);
        assertTrue(facts.memoryMib() >= facts.maxHeapMib() / 2, facts.toString());
        assertFalse(facts.cpu().isBlank());
        assertFalse(facts.sapwood().isBlank());
        assertTrue(Json.line(facts).startsWith("{\"sapwood\":"));
    }

    @Test
    void peakMemoryIsKnownOnLinux() {
        assertEquals(
                Files.exists(Path.of("/proc/self/status")),
                HostFacts.peakResidentMib().isPresent());
        HostFacts.peakResidentMib().ifPresent(mib -> assertTrue(mib > 10, "a JVM holds more than " + mib + " MiB"));
    }
}
