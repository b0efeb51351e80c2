package org.sapwood.tensor;

/**
 * A contiguous float32 tensor: a shape, a storage and the offset of its first element there.
 *
 * <p>Tensors are cheap handles. {@link #reshape} and {@link #slice} share memory with their source. There are no general
 * strides: a transposed or permuted tensor is a copy made by an operation.
 */
public final class Tensor {
    private final Shape shape;
    private final Storage storage;
    private final int offset;

    /**
     * A handle on existing memory.
     *
     * @throws IllegalArgumentException if {@code shape} does not fit into {@code storage} at {@code offset}
     */
    public Tensor(Shape shape, Storage storage, int offset) {
        if (offset < 0 || (long) offset + shape.size() > storage.size()) {
            throw new IllegalArgumentException("shape " + shape + " at offset " + offset
                    + " does not fit into a storage of " + storage.size() + " elements");
        }
        this.shape = shape;
        this.storage = storage;
        this.offset = offset;
    }

    /** A heap tensor of zeros. */
    public static Tensor zeros(int... extents) {
        Shape shape = Shape.of(extents);
        return new Tensor(shape, new HeapStorage(new float[shape.size()]), 0);
    }

    /** A heap tensor over {@code values}, which is shared, not copied. */
    public static Tensor of(float[] values, int... extents) {
        Shape shape = Shape.of(extents);
        if (shape.size() != values.length) {
            throw new IllegalArgumentException(
                    "shape " + shape + " needs " + shape.size() + " values, got " + values.length);
        }
        return new Tensor(shape, new HeapStorage(values), 0);
    }

    public Shape shape() {
        return shape;
    }

    /** Extent of {@code axis}; negative axes count from the end. */
    public int dim(int axis) {
        return shape.dim(axis);
    }

    /** Number of elements. */
    public int size() {
        return shape.size();
    }

    public Storage storage() {
        return storage;
    }

    /** Index of the first element in the storage. */
    public int offset() {
        return offset;
    }

    /**
     * The Java array behind this tensor; the first element stands at {@link #offset()}.
     *
     * @throws IllegalStateException if the tensor lives on a device
     */
    public float[] array() {
        if (storage instanceof HeapStorage heap) {
            return heap.array();
        }
        throw new IllegalStateException("tensor " + shape + " lives in "
                + storage.getClass().getSimpleName() + ", not on the heap; use Backend.download");
    }

    /** The same memory under another shape of equal size. */
    public Tensor reshape(int... extents) {
        Shape target = Shape.of(extents);
        if (target.size() != shape.size()) {
            throw new IllegalArgumentException("cannot reshape " + shape + " to " + target);
        }
        return new Tensor(target, storage, offset);
    }

    /** Indices {@code from} (inclusive) to {@code to} (exclusive) of the outermost axis, sharing memory. */
    public Tensor slice(int from, int to) {
        if (from < 0 || to < from || to > shape.dim(0)) {
            throw new IllegalArgumentException("slice [" + from + ", " + to + ") of shape " + shape);
        }
        int[] extents = shape.toArray();
        extents[0] = to - from;
        return new Tensor(Shape.of(extents), storage, offset + from * shape.rowSize());
    }

    /** A copy of the elements of a heap tensor. */
    public float[] toArray() {
        float[] copy = new float[size()];
        System.arraycopy(array(), offset, copy, 0, copy.length);
        return copy;
    }

    @Override
    public String toString() {
        return "Tensor" + shape;
    }
}
