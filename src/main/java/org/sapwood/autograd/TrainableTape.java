package org.sapwood.autograd;

import java.util.List;

/**
 * A model recorded together with its loss for a batch of fixed size. How the slots of the batch are filled is the
 * implementation's own affair; what follows is the same for all.
 */
public interface TrainableTape {
    /** Hands what the slots hold to the backend; they may then be set anew. */
    void load();

    /** Runs model and loss on what was loaded: calls of the backend that are the same every time. */
    void replay();

    /** Hands the gradients of all trainable parameters to {@code sink}. */
    void backward(GradientSink sink);

    /**
     * Every use of a weight matrix: from these sizes follows how private gradients are obtained. A tape that names none has
     * all of them kept.
     */
    default List<WeightUse> weightUses() {
        return List.of();
    }

    /** Runs model and loss on what the slots hold. */
    default void forward() {
        load();
        replay();
    }
}
