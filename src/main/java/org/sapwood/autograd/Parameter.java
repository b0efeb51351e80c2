package org.sapwood.autograd;

import org.sapwood.tensor.Tensor;

/**
 * A named weight of a model. Its value is shared by all workers and changes only between steps, through
 * {@link ParameterVector}.
 *
 * <p>Names follow diffusers, for example {@code down_blocks.0.attentions.0.to_q.weight}.
 */
public final class Parameter {
    private final String name;
    private final Tensor value;
    private final DiskLayout layout;
    private boolean trainable = true;

    /** A parameter over {@code value}, in the memory layout that {@code layout} prescribes. */
    public Parameter(String name, Tensor value, DiskLayout layout) {
        this.name = name;
        this.value = value;
        this.layout = layout;
    }

    public String name() {
        return name;
    }

    public Tensor value() {
        return value;
    }

    /** How the memory layout maps to PyTorch's on disk. */
    public DiskLayout layout() {
        return layout;
    }

    public int size() {
        return value.size();
    }

    /** Whether training changes this parameter; a frozen one costs neither gradient nor saved activation. */
    public boolean trainable() {
        return trainable;
    }

    /** Freezes or unfreezes; takes effect on tapes recorded afterwards. */
    public void setTrainable(boolean trainable) {
        this.trainable = trainable;
    }

    @Override
    public String toString() {
        return name + value.shape();
    }
}
