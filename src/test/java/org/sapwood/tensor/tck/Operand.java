package org.sapwood.tensor.tck;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Shape;

/**
 * One argument of a primitive.
 *
 * @param name as in {@code Backend}
 * @param role what the primitive does with it
 * @param perSample whether the outermost axis is the batch; otherwise all samples share it
 * @param shape for the whole batch; of a gradient, [B, coordinates]
 * @param spread standard deviation of random inputs; the exclusive bound of indices
 * @param accumulate whether an output is added to; of a gradient, the execution decides
 * @param alias an input whose memory this output shares
 * @param derivation computes an input that follows from others, such as the statistics of a forward pass
 */
record Operand(
        String name,
        Role role,
        boolean perSample,
        Shape shape,
        double spread,
        boolean accumulate,
        @Nullable String alias,
        @Nullable Function<Data, float[]> derivation) {
    enum Role {
        INPUT,
        INDICES,
        OUTPUT,
        /** An output that is handed over as {@code GradientRows}. */
        GRADIENT
    }

    boolean isInput() {
        return role == Role.INPUT || role == Role.INDICES;
    }

    /** Elements of one sample, or of everything where samples share the operand. */
    int chunk() {
        return perSample ? shape.rowSize() : shape.size();
    }
}
