package org.sapwood.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.sapwood.data.Samples.assertRefused;

import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sapwood.data.ReadOptions.Subset;

class ReadOptionsTest {
    @Test
    void aSubsetMayBeOpenOnEitherSide() {
        assertEquals(new Subset(3, OptionalInt.of(8)), Subset.parse("3:8"));
        assertEquals(new Subset(0, OptionalInt.of(8)), Subset.parse(":8"));
        assertEquals(new Subset(3, OptionalInt.empty()), Subset.parse("3:"));
        assertEquals(Subset.ALL, Subset.parse(":"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "8", "a:b", "3:3", "4:3", "-1:3", "1:2:3", "0:99999999999"})
    void otherFormsAreRefused(String text) {
        assertRefused(() -> Subset.parse(text), "--subset must be FROM:TO", "got " + text);
    }

    @Test
    void sizesAreBounded() {
        assertRefused(() -> ReadOptions.asStored().withSize(0), "--size must be between 1 and 4096, got 0");
        assertRefused(() -> ReadOptions.asStored().withSize(5000), "got 5000");
    }
}
