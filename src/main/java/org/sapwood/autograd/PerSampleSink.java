package org.sapwood.autograd;

import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;

/**
 * Materialises one gradient per example: row i is the sum over the K consecutive draws of example i. With a loss scaled
 * by 1/K that is the mean that is clipped once.
 */
public final class PerSampleSink extends RowSink {
    /**
     * @param examples rows of the matrix
     * @param draws consecutive samples of the batch that belong to one example, ≥ 1
     */
    public PerSampleSink(Backend backend, Arena arena, ParameterVector parameters, int examples, int draws) {
        super(backend, arena.allocate(examples, parameters.size()), parameters, draws);
    }
}
