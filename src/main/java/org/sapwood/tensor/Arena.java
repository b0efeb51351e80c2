package org.sapwood.tensor;

import java.util.function.Function;

/**
 * A bump allocator for the buffers of one worker. All tensors of a recorded tape come from one arena, so that a replayed
 * step allocates nothing; dropping the arena frees them together. Not thread-safe.
 */
public final class Arena {
    /** Tensors start on a 64-byte boundary relative to their chunk, the width of the widest vector register. */
    private static final int ALIGNMENT = 16;

    private static final int CHUNK = 1 << 20;

    private final Function<Shape, Tensor> source;
    private Tensor chunk;
    private int used;
    private long allocated;

    /** An empty arena that takes its memory from {@code backend}. */
    public Arena(Backend backend) {
        this(backend::allocate);
    }

    private Arena(Function<Shape, Tensor> source) {
        this.source = source;
        this.chunk = source.apply(Shape.of(0));
    }

    /** An arena that takes no memory: its tensors have a size and nothing else. For finding out what a tape would need. */
    public static Arena measuring() {
        return new Arena(shape -> new Tensor(shape, shape::size, 0));
    }

    /** A tensor of zeros. */
    public Tensor allocate(Shape shape) {
        int padded = Math.addExact(shape.size(), ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (used + (long) padded > chunk.size()) {
            chunk = source.apply(Shape.of(Math.max(CHUNK, padded)));
            used = 0;
            allocated += chunk.size();
        }
        Tensor tensor = new Tensor(shape, chunk.storage(), chunk.offset() + used);
        used += padded;
        return tensor;
    }

    /** A tensor of zeros. */
    public Tensor allocate(int... extents) {
        return allocate(Shape.of(extents));
    }

    /** Bytes taken from the backend so far. */
    public long bytes() {
        return allocated * Float.BYTES;
    }
}
