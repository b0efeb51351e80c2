package org.sapwood.tensor;

/**
 * Tensor memory in a Java array, used by the {@code scalar} and {@code simd} backends.
 *
 * @param array the elements; shared, never copied
 */
@SuppressWarnings("ArrayRecordComponent") // identity, not content, is what matters here
public record HeapStorage(float[] array) implements Storage {
    @Override
    public int size() {
        return array.length;
    }
}
