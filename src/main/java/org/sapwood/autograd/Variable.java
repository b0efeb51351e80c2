package org.sapwood.autograd;

import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/**
 * A node of a {@link Tape}: an input or the output of one operation. Memory is assigned when the tape is sealed; until
 * then a variable has only its shape.
 */
public final class Variable {
    private final Shape shape;
    private final boolean requiresGradient;
    private @Nullable Tensor value;
    private @Nullable Tensor gradient;

    Variable(Shape shape, boolean requiresGradient) {
        this.shape = shape;
        this.requiresGradient = requiresGradient;
    }

    public Shape shape() {
        return shape;
    }

    /** Extent of {@code axis}; negative axes count from the end. */
    public int dim(int axis) {
        return shape.dim(axis);
    }

    /** Whether the backward pass computes a gradient for this variable. */
    public boolean requiresGradient() {
        return requiresGradient;
    }

    /**
     * The value: to be filled by the caller for an input, valid after {@link Tape#forward} for an output. The memory of
     * an intermediate value may be reused later in the same replay.
     *
     * @throws IllegalStateException before the tape is sealed
     */
    public Tensor value() {
        if (value == null) {
            throw new IllegalStateException("variable " + shape + " has no memory yet: seal the tape first");
        }
        return value;
    }

    /**
     * The gradient of the loss, valid while the backward pass is at or below this variable.
     *
     * @throws IllegalStateException before the tape is sealed or if no gradient is required
     */
    public Tensor gradient() {
        if (gradient == null) {
            throw new IllegalStateException("variable " + shape
                    + (requiresGradient ? " has no memory yet: seal the tape first" : " requires no gradient"));
        }
        return gradient;
    }

    boolean hasGradient() {
        return gradient != null;
    }

    void assignValue(Tensor memory) {
        this.value = memory;
    }

    void assignGradient(Tensor memory) {
        this.gradient = memory;
    }
}
