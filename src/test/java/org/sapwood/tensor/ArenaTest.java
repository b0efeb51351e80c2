package org.sapwood.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.sapwood.tensor.scalar.ScalarBackend;

class ArenaTest {
    @Test
    void tensorsAreZeroAlignedAndApart() {
        Arena arena = new Arena(new ScalarBackend());
        List<Tensor> tensors = new ArrayList<>();
        for (int size : new int[] {1, 17, 0, 33, 600_000, 600_000, 2_000_000, 5}) {
            Tensor tensor = arena.allocate(size);
            assertEquals(0, tensor.offset() % 16, "offset of a tensor of " + size);
            assertArrayEquals(new float[size], tensor.toArray());
            tensors.add(tensor);
            // Whoever overlapped this tensor would be seen to be non-zero when it is allocated, or changed below.
            Arrays.fill(tensor.array(), tensor.offset(), tensor.offset() + size, tensors.size());
        }
        for (int i = 0; i < tensors.size(); i++) {
            float[] expected = new float[tensors.get(i).size()];
            Arrays.fill(expected, i + 1);
            assertArrayEquals(expected, tensors.get(i).toArray(), "tensor " + i);
        }
    }

    @Test
    void countsTheMemoryItTook() {
        Arena arena = new Arena(new ScalarBackend());
        assertEquals(0, arena.bytes());
        arena.allocate(3, 5);
        long small = arena.bytes();
        assertTrue(small >= 60);
        arena.allocate(7);
        assertEquals(small, arena.bytes(), "a chunk serves many tensors");
        arena.allocate(3_000_000);
        assertTrue(arena.bytes() >= small + 12_000_000);
    }
}
