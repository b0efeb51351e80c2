package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.io.Json;
import org.sapwood.tensor.Backends;

@Tag("no-vector")
class DoctorCommandTest {
    @Test
    void jsonTellsEveryBackendAndWhyItCannotRun() {
        Map<String, Object> json = Run.of("doctor --json").json();
        assertEquals(true, json.get("jdk_fits"));
        assertEquals(Runtime.getRuntime().availableProcessors(), json.get("cores"));
        assertTrue(Json.number(json.get("memory_mib"), "memory_mib") > 0);
        String text = json.toString();
        for (String name : Backends.names()) {
            String reason = Backends.unavailable(name);
            assertTrue(text.contains("{name=" + name + ", available=" + (reason == null) + ", detail="), text);
            if (reason != null) {
                assertTrue(text.contains("detail=" + reason), text);
            }
            if (reason != null && name.equals("simd")) {
                assertTrue(text.contains("launcher sapwood, which adds --add-modules jdk.incubator.vector"), text);
            }
        }
        assertEquals(Backends.choose("auto").name(), json.get("backend"));
    }

    @Test
    void textNamesTheBackendInUse() {
        Run run = Run.of("doctor");
        assertEquals(0, run.code());
        String line = "Backend " + Backends.choose("auto").name();
        assertTrue(run.out().lines().anyMatch(l -> l.startsWith(line) && l.contains("in use")), run.out());
    }

    @ParameterizedTest
    @CsvSource({
        "25.0.3, true",
        "25.0.3+9-LTS, true",
        "25.0.4, true",
        "25.0.2, false",
        "25, false",
        "24.0.9, false",
        "26, false"
    })
    void onlyAJava25WithoutThePinningBugFits(String version, boolean fits) {
        assertEquals(fits, JavaVersion.fits(Runtime.Version.parse(version)));
        assertFalse(JavaVersion.fits(Runtime.Version.parse("21.0.9")));
    }
}
