package org.sapwood.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class BackendsTest {
    @Test
    void scalarAlwaysRuns() {
        BackendChoice choice = Backends.choose("scalar");
        assertEquals("scalar", choice.name());
        assertEquals(List.of(), choice.rejected(), "what was asked for by name rejects nothing");
        try (Backend backend = choice.open()) {
            assertEquals("scalar", backend.name());
        }
    }

    @Test
    void autoTakesTheFirstThatRunsAndExplainsTheOthers() {
        BackendChoice choice = Backends.choose("AUTO");
        assertNull(Backends.unavailable(choice.name()));
        List<String> passedOver = Backends.names().subList(0, Backends.names().indexOf(choice.name()));
        assertEquals(
                passedOver,
                choice.rejected().stream().map(BackendChoice.Rejection::name).toList());
        for (BackendChoice.Rejection rejection : choice.rejected()) {
            String reason = Backends.unavailable(rejection.name());
            if (reason != null) {
                assertEquals(reason, rejection.reason());
            } else {
                assertEquals("cuda", rejection.name(), "only an emulated device is passed over though it runs");
                assertTrue(rejection.reason().contains("emulated"), rejection.reason());
            }
        }
        assertTrue(choice.oneLine().startsWith("backend " + choice.name() + " ("));
    }

    @Test
    void everyChoiceOpensWhatItNames() {
        for (String name : Backends.names()) {
            if (Backends.unavailable(name) == null) {
                try (Backend backend = Backends.choose(name).open()) {
                    assertEquals(name, backend.name());
                }
            }
        }
    }

    @Test
    void unknownNamesAreListedAgainstTheKnownOnes() {
        IllegalArgumentException error = assertThrows(IllegalArgumentException.class, () -> Backends.choose("fortran"));
        String message = String.valueOf(error.getMessage());
        assertTrue(message.contains("'fortran'"), message);
        assertTrue(message.contains("auto, cuda, simd, scalar"), message);
    }

    @Test
    void oneLineNamesEveryRejection() {
        BackendChoice choice = new BackendChoice(
                "scalar",
                "plain Java",
                () -> Backends.choose("scalar").open(),
                List.of(new BackendChoice.Rejection("simd", "no module; add it")));
        assertEquals("backend scalar (plain Java); not simd: no module; add it", choice.oneLine());
    }
}
