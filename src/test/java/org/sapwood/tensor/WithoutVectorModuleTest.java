package org.sapwood.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What must hold on a JVM that was started without {@code --add-modules jdk.incubator.vector}. */
@Tag("no-vector")
class WithoutVectorModuleTest {
    private static final String FLAG = "--add-modules jdk.incubator.vector";

    @BeforeEach
    void moduleIsAbsent() {
        assumeTrue(
                ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty(),
                "this JVM has the Vector API; run it without " + FLAG);
    }

    @Test
    void autoFallsBackToScalarAndNamesTheFlag() {
        assumeTrue(Backends.unavailable("cuda") != null, "with a GPU auto takes that");
        BackendChoice choice = Backends.choose("auto");
        assertEquals("scalar", choice.name());
        assertEquals(
                List.of("cuda", "simd"),
                choice.rejected().stream().map(BackendChoice.Rejection::name).toList());
        assertTrue(choice.rejected().getLast().reason().contains(FLAG));
        assertTrue(choice.oneLine().contains(FLAG));
    }

    @Test
    void askingForSimdIsAnErrorNotAFallback() {
        IllegalStateException error = assertThrows(IllegalStateException.class, () -> Backends.choose("simd"));
        assertTrue(String.valueOf(error.getMessage()).contains(FLAG));
    }

    @Test
    void theFallbackComputes() {
        try (Backend backend = Backends.choose().open()) {
            Tensor y = backend.allocate(Shape.of(1, 2));
            Tensor x = Tensor.of(new float[] {1, 2}, 1, 2);
            Tensor weight = Tensor.of(new float[] {3, 4, 5, 6}, 2, 2);
            backend.linear(x, weight, null, y);
            assertArrayEquals(new float[] {11, 17}, y.toArray());
        }
    }
}
