package org.sapwood.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class TensorTest {
    @Test
    void viewsShareMemory() {
        Tensor tensor = Tensor.of(new float[] {0, 1, 2, 3, 4, 5}, 3, 2);
        Tensor flat = tensor.reshape(6);
        Tensor tail = tensor.slice(1, 3);
        assertSame(tensor.array(), tail.array());
        assertEquals(2, tail.offset());
        assertArrayEquals(new float[] {2, 3, 4, 5}, tail.toArray());
        flat.array()[3] = 9;
        assertArrayEquals(new float[] {2, 9, 4, 5}, tail.toArray());
    }

    @Test
    void slicesOfSlicesAddTheirOffsets() {
        Tensor tensor = Tensor.of(new float[] {0, 1, 2, 3, 4, 5, 6, 7}, 4, 2);
        assertArrayEquals(new float[] {4, 5}, tensor.slice(1, 4).slice(1, 2).toArray());
    }

    @Test
    void refusesWhatDoesNotFit() {
        Tensor tensor = Tensor.zeros(3, 2);
        assertThrows(IllegalArgumentException.class, () -> Tensor.of(new float[5], 3, 2));
        assertThrows(IllegalArgumentException.class, () -> tensor.reshape(5));
        assertThrows(IllegalArgumentException.class, () -> tensor.slice(1, 4));
        assertThrows(IllegalArgumentException.class, () -> tensor.slice(2, 1));
        assertThrows(IllegalArgumentException.class, () -> new Tensor(Shape.of(4), tensor.storage(), 3));
        assertThrows(IllegalArgumentException.class, () -> new Tensor(Shape.of(4), tensor.storage(), -1));
    }

    @Test
    void deviceMemoryIsNotAnArray() {
        Tensor tensor = new Tensor(Shape.of(2), () -> 2, 0);
        IllegalStateException error = assertThrows(IllegalStateException.class, tensor::array);
        assertTrue(String.valueOf(error.getMessage()).contains("Backend.download"));
    }
}
