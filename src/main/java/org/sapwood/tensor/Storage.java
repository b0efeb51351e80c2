package org.sapwood.tensor;

/**
 * The memory behind a tensor. {@link HeapStorage} is a Java array; a device backend brings its own implementation, and
 * code outside that backend reaches its content only through {@link Backend#upload} and {@link Backend#download}.
 */
public interface Storage {
    /** Number of float32 elements. */
    int size();
}
