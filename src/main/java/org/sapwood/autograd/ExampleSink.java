package org.sapwood.autograd;

import org.sapwood.tensor.Tensor;

/**
 * A sink that keeps one row of numbers for every example, or one for all of them. Between {@link #clear} and
 * {@link #finish} any number of backward passes may add.
 */
public interface ExampleSink extends GradientSink {
    /** The rows, complete after {@link #finish}. */
    Tensor matrix();

    /** Forgets all contributions. */
    void clear();

    /** Completes the rows after the last backward pass. */
    void finish();
}
