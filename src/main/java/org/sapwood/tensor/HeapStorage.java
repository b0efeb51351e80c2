package org.sapwood.tensor;

/**
 * Tensor memory in a Java array, used by the {@code scalar} and {@code simd} backends, and for the weights of a model,
 * which every backend reads. A device keeps a copy of what it reads and renews it when {@link #version} has changed, so
 * whoever writes into the array after a backend may have read it calls {@link #changed}.
 */
public final class HeapStorage implements Storage {
    private final float[] array;
    private volatile int version;

    /** @param array the elements; shared, never copied */
    public HeapStorage(float[] array) {
        this.array = array;
    }

    /** The elements, live. */
    public float[] array() {
        return array;
    }

    @Override
    public int size() {
        return array.length;
    }

    /** Counts the changes that were announced. */
    public int version() {
        return version;
    }

    /** Announces that the array's content has changed. Between steps only, by one thread at a time. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer; volatile is for the readers
    public void changed() {
        version++;
    }
}
