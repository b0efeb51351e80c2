package org.sapwood.autograd;

import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Tensor;

/** Sums the gradients of the whole batch into one row: ordinary, non-private training. */
public final class SumSink extends RowSink {
    /** @param batch samples of the tape's batch */
    public SumSink(Backend backend, Arena arena, ParameterVector parameters, int batch) {
        this(backend, arena.allocate(1, parameters.size()), parameters, batch);
    }

    /**
     * A sink over a row that other sinks may add to as well.
     *
     * @param row [1, P]
     * @param batch samples of the tape's batch
     */
    public SumSink(Backend backend, Tensor row, ParameterVector parameters, int batch) {
        super(backend, row, parameters, batch);
    }
}
