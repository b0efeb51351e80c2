package org.sapwood.autograd;

import java.util.List;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;

/**
 * One recorded step of a {@link Tape}. Subclasses hold their variables and parameters and know how to run forward and
 * backward on a backend.
 */
abstract class Operation {
    private final List<Variable> inputs;
    private final Variable output;
    private final boolean[] accumulates;
    private boolean sharing;

    /**
     * @param inputs the variables this operation reads, each one listed once
     * @param output the variable it writes
     */
    Operation(List<Variable> inputs, Variable output) {
        this.inputs = inputs;
        this.output = output;
        this.accumulates = new boolean[inputs.size()];
    }

    final List<Variable> inputs() {
        return inputs;
    }

    final Variable output() {
        return output;
    }

    /** Whether the gradient of input {@code index} adds to one that a later operation already wrote. */
    final boolean accumulates(int index) {
        return accumulates[index];
    }

    final void setAccumulates(int index) {
        accumulates[index] = true;
    }

    /**
     * The input whose gradient is that of the output, unchanged, or −1 if there is none: the two then share memory where
     * nothing was written to the input's before.
     */
    int unchanged() {
        return -1;
    }

    /** Whether the output is the first input under another shape, in its memory. */
    boolean isView() {
        return false;
    }

    /** Whether the gradient of input {@code index} is in the memory of the output's, so that nothing need be copied. */
    final boolean shares(int index) {
        return sharing && index == unchanged();
    }

    final void setSharing() {
        sharing = true;
    }

    /** The variables whose values {@link #backward} reads; all others may lose their memory after the forward pass. */
    abstract List<Variable> saved();

    /** The weight matrices that the operation multiplies with. */
    List<WeightUse> weightUses() {
        return List.of();
    }

    /** Takes memory for what the operation keeps between forward and backward. */
    void allocate(Arena arena) {}

    abstract void forward(Backend backend);

    /**
     * Reads the output's gradient, writes the gradients of those inputs that require one, and hands everything that
     * concerns parameters to {@code sink}.
     */
    abstract void backward(Backend backend, GradientSink sink);
}
