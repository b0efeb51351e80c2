package org.sapwood.tensor;

import java.util.Arrays;

/**
 * The extents of a contiguous tensor, outermost first. Immutable.
 *
 * <p>Every extent is at least 0; the element count must fit an {@code int}, because one Java array backs a tensor.
 */
public final class Shape {
    private final int[] extents;
    private final int size;

    private Shape(int[] extents) {
        long product = 1;
        for (int extent : extents) {
            if (extent < 0) {
                throw new IllegalArgumentException("extent must be >= 0, got " + Arrays.toString(extents));
            }
            product *= extent;
            if (product > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(
                        "a tensor holds at most 2^31-1 elements, got shape " + Arrays.toString(extents));
            }
        }
        this.extents = extents;
        this.size = (int) product;
    }

    /** Returns the shape with the given extents, outermost first; no extents means a scalar. */
    public static Shape of(int... extents) {
        return new Shape(extents.clone());
    }

    /** Number of axes. */
    public int rank() {
        return extents.length;
    }

    /** Extent of {@code axis}; a negative axis counts from the end, so {@code dim(-1)} is the innermost extent. */
    public int dim(int axis) {
        return extents[axis < 0 ? extents.length + axis : axis];
    }

    /** Number of elements. */
    public int size() {
        return size;
    }

    /** Elements per index of the outermost axis, that is, the stride of axis 0. */
    public int rowSize() {
        int product = 1;
        for (int axis = 1; axis < extents.length; axis++) {
            product *= extents[axis];
        }
        return product;
    }

    /** A copy of the extents. */
    public int[] toArray() {
        return extents.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape that && Arrays.equals(extents, that.extents);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(extents);
    }

    @Override
    public String toString() {
        return Arrays.toString(extents);
    }
}
