package org.sapwood.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class GradientRowsTest {
    @Test
    void consecutiveSamplesShareARow() {
        Tensor matrix = new Tensor(Shape.of(2, 10), new HeapStorage(new float[25]), 5);
        GradientRows rows = new GradientRows(matrix, 4, 3, false);
        assertEquals(5 + 4, rows.start(0));
        assertEquals(5 + 4, rows.start(2));
        assertEquals(5 + 10 + 4, rows.start(3));
    }

    @Test
    void theFirstSampleOfARowReplacesUnlessAccumulating() {
        Tensor matrix = Tensor.zeros(2, 10);
        GradientRows replacing = new GradientRows(matrix, 0, 2, false);
        assertFalse(replacing.adds(0));
        assertTrue(replacing.adds(1));
        assertFalse(replacing.adds(2));
        assertTrue(new GradientRows(matrix, 0, 2, true).adds(0));
    }

    @Test
    void refusesColumnsOutsideTheMatrixAndEmptyRows() {
        Tensor matrix = Tensor.zeros(2, 10);
        assertThrows(IllegalArgumentException.class, () -> new GradientRows(matrix, 11, 1, false));
        assertThrows(IllegalArgumentException.class, () -> new GradientRows(matrix, -1, 1, false));
        assertThrows(IllegalArgumentException.class, () -> new GradientRows(matrix, 0, 0, false));
    }
}
