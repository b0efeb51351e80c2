package org.sapwood.autograd;

import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;

/** Sums the gradients of the whole batch into one row: ordinary, non-private training. */
public final class SumSink extends RowSink {
    /** @param batch samples of the tape's batch */
    public SumSink(Backend backend, Arena arena, ParameterVector parameters, int batch) {
        super(backend, arena, parameters, 1, batch);
    }
}
