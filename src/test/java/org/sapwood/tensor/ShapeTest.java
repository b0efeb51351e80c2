package org.sapwood.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ShapeTest {
    @Test
    void axesCountFromBothEnds() {
        Shape shape = Shape.of(2, 3, 5);
        assertEquals(3, shape.rank());
        assertEquals(2, shape.dim(0));
        assertEquals(5, shape.dim(-1));
        assertEquals(3, shape.dim(-2));
        assertEquals(30, shape.size());
        assertEquals(15, shape.rowSize());
    }

    @Test
    void noExtentsMeanAScalar() {
        assertEquals(1, Shape.of().size());
        assertEquals(0, Shape.of().rank());
    }

    @Test
    void emptyAxesAreLegal() {
        assertEquals(0, Shape.of(4, 0, 3).size());
    }

    @Test
    void isImmutable() {
        int[] extents = {2, 3};
        Shape shape = Shape.of(extents);
        extents[0] = 9;
        shape.toArray()[1] = 9;
        assertArrayEquals(new int[] {2, 3}, shape.toArray());
    }

    @Test
    void equalExtentsAreEqualShapes() {
        assertEquals(Shape.of(2, 3), Shape.of(2, 3));
        assertEquals(Shape.of(2, 3).hashCode(), Shape.of(2, 3).hashCode());
        assertNotEquals(Shape.of(2, 3), Shape.of(3, 2));
        assertEquals("[2, 3]", Shape.of(2, 3).toString());
    }

    @Test
    void refusesNegativeExtentsAndMoreThanAnArrayHolds() {
        assertThrows(IllegalArgumentException.class, () -> Shape.of(2, -1));
        IllegalArgumentException tooLarge = assertThrows(IllegalArgumentException.class, () -> Shape.of(65536, 65536));
        assertTrue(String.valueOf(tooLarge.getMessage()).contains("[65536, 65536]"));
    }
}
