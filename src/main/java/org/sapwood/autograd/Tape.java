package org.sapwood.autograd;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/**
 * A recorded computation. Operations are recorded once, through the static methods of the {@code *Op} classes; then the
 * tape is sealed, which assigns all memory, and replayed any number of times with new input values. A replay allocates
 * nothing. A tape belongs to one worker.
 *
 * <p>Memory is assigned by liveness. A value lives until its last reader, forward or backward; a gradient from its first
 * writer in the backward pass to the operation that made its variable. Buffers of equal size are reused. The gradient of
 * a sum is in the same memory as that of its first term, if the term has no other reader behind it. A reshaped value is
 * in the memory of what it was made of, which lives until the last reader of either.
 */
public final class Tape {
    private final Backend backend;
    private final Arena arena;
    private final boolean differentiable;
    private final List<Operation> operations = new ArrayList<>();
    private final List<Variable> inputs = new ArrayList<>();
    private final List<Variable> kept = new ArrayList<>();
    private boolean sealed;

    private Tape(Backend backend, Arena arena, boolean differentiable) {
        this.backend = backend;
        this.arena = arena;
        this.differentiable = differentiable;
    }

    /** A tape that can run backward. */
    public static Tape forTraining(Backend backend, Arena arena) {
        return new Tape(backend, arena, true);
    }

    /** A tape that only runs forward; every parameter counts as frozen. */
    public static Tape forInference(Backend backend, Arena arena) {
        return new Tape(backend, arena, false);
    }

    /** An input without gradient, to be filled through {@link Variable#value} after sealing. */
    public Variable input(int... extents) {
        return leaf(Shape.of(extents), false);
    }

    /** An input whose gradient is wanted and stays valid after the backward pass. */
    public Variable differentiableInput(int... extents) {
        return leaf(Shape.of(extents), differentiable);
    }

    private Variable leaf(Shape shape, boolean requiresGradient) {
        requireOpen();
        Variable variable = new Variable(shape, requiresGradient);
        inputs.add(variable);
        return variable;
    }

    /** Keeps the value of {@code variable} readable after the replay. */
    public void keep(Variable variable) {
        requireOpen();
        kept.add(variable);
    }

    /** Whether {@code parameter} is to be differentiated on this tape. */
    boolean trains(Parameter parameter) {
        return differentiable && parameter.trainable();
    }

    /** A variable for the output of an operation. */
    Variable output(Shape shape, boolean requiresGradient) {
        return new Variable(shape, differentiable && requiresGradient);
    }

    Variable record(Operation operation) {
        requireOpen();
        operations.add(operation);
        return operation.output();
    }

    private void requireOpen() {
        if (sealed) {
            throw new IllegalStateException("the tape is sealed; record a new one");
        }
    }

    /** Ends recording and assigns memory. Idempotent. */
    public void seal() {
        if (sealed) {
            return;
        }
        sealed = true;
        assignValues();
        if (differentiable) {
            assignGradients();
        }
        for (Operation operation : operations) {
            operation.allocate(arena);
        }
    }

    private void assignValues() {
        Map<Variable, Variable> owners = owners();
        Map<Variable, Integer> lastRead = lastReads(owners);
        for (Variable input : inputs) {
            input.assignValue(arena.allocate(input.shape()));
        }
        BufferPool pool = new BufferPool(arena);
        for (int i = 0; i < operations.size(); i++) {
            Operation operation = operations.get(i);
            Variable output = operation.output();
            if (operation.isView()) {
                Tensor source = operation.inputs().getFirst().value();
                output.assignValue(source.reshape(output.shape().toArray()));
            } else {
                output.assignValue(pool.take(output.shape()));
            }
            for (Variable input : operation.inputs()) {
                Variable owner = owner(owners, input);
                Integer last = lastRead.get(owner);
                if (last != null && last == i) {
                    pool.give(owner.value());
                    // Not once more for another view of it.
                    lastRead.remove(owner);
                }
            }
        }
    }

    /** For every view the variable whose memory it is in, which is no view itself. */
    private Map<Variable, Variable> owners() {
        Map<Variable, Variable> owners = new IdentityHashMap<>();
        for (Operation operation : operations) {
            if (operation.isView()) {
                owners.put(operation.output(), owner(owners, operation.inputs().getFirst()));
            }
        }
        return owners;
    }

    private static Variable owner(Map<Variable, Variable> owners, Variable variable) {
        return owners.getOrDefault(variable, variable);
    }

    /** The last operation that reads the memory of a variable; beyond all of them if it must stay. */
    private Map<Variable, Integer> lastReads(Map<Variable, Variable> owners) {
        Map<Variable, Integer> lastRead = new IdentityHashMap<>();
        Set<Variable> read = Collections.newSetFromMap(new IdentityHashMap<>());
        for (int i = 0; i < operations.size(); i++) {
            for (Variable input : operations.get(i).inputs()) {
                lastRead.put(owner(owners, input), i);
                read.add(input);
            }
        }
        List<Variable> staying = new ArrayList<>(kept);
        staying.addAll(inputs);
        for (Operation operation : operations) {
            if (differentiable && operation.output().requiresGradient()) {
                staying.addAll(operation.saved());
            }
            if (!read.contains(operation.output())) {
                staying.add(operation.output());
            }
        }
        staying.forEach(variable -> lastRead.put(owner(owners, variable), Integer.MAX_VALUE));
        return lastRead;
    }

    private void assignGradients() {
        for (Variable input : inputs) {
            if (input.requiresGradient()) {
                input.assignGradient(arena.allocate(input.shape()));
            }
        }
        BufferPool pool = new BufferPool(arena);
        Map<Variable, Boolean> written = new IdentityHashMap<>();
        for (Operation operation : operations.reversed()) {
            Variable output = operation.output();
            if (!output.requiresGradient()) {
                continue;
            }
            if (!output.hasGradient()) {
                output.assignGradient(arena.allocate(output.shape()));
            }
            for (int i = 0; i < operation.inputs().size(); i++) {
                Variable input = operation.inputs().get(i);
                if (!input.requiresGradient()) {
                    continue;
                }
                // The caller's gradient of a terminal output is not taken over: it stays as it is from replay to
                // replay.
                if (!input.hasGradient() && i == operation.unchanged() && written.containsKey(output)) {
                    input.assignGradient(output.gradient().reshape(input.shape().toArray()));
                    operation.setSharing();
                }
                if (!input.hasGradient()) {
                    input.assignGradient(pool.take(input.shape()));
                }
                if (written.put(input, true) != null) {
                    operation.setAccumulates(i);
                }
            }
            // Memory that an input has taken over is given back when the operation that made that input is reached.
            if (written.containsKey(output) && !operation.shares(operation.unchanged())) {
                pool.give(output.gradient());
            }
        }
    }

    /** Computes every output from the current input values. */
    public void forward() {
        requireSealed();
        for (int i = 0; i < operations.size(); i++) {
            operations.get(i).forward(backend);
        }
    }

    /**
     * Propagates gradients from the losses back to the inputs, handing those of trainable parameters to {@code sink}. A
     * loss operation starts from its own gradient; any other terminal output must have had its
     * {@link Variable#gradient} filled by the caller.
     */
    public void backward(GradientSink sink) {
        requireSealed();
        for (int i = operations.size() - 1; i >= 0; i--) {
            Operation operation = operations.get(i);
            if (operation.output().requiresGradient()) {
                operation.backward(backend, sink);
            }
        }
    }

    /** Every use of a weight matrix, in the order of recording. */
    public List<WeightUse> weightUses() {
        return operations.stream()
                .flatMap(operation -> operation.weightUses().stream())
                .toList();
    }

    private void requireSealed() {
        if (!sealed) {
            throw new IllegalStateException("seal the tape before replaying it");
        }
    }

    /** Reuses buffers of equal size. */
    private static final class BufferPool {
        private final Arena arena;
        private final Map<Integer, Deque<Tensor>> free = new HashMap<>();

        BufferPool(Arena arena) {
            this.arena = arena;
        }

        Tensor take(Shape shape) {
            Deque<Tensor> candidates = free.get(shape.size());
            if (candidates == null || candidates.isEmpty()) {
                return arena.allocate(shape);
            }
            return candidates.pop().reshape(shape.toArray());
        }

        void give(Tensor buffer) {
            free.computeIfAbsent(buffer.size(), size -> new ArrayDeque<>()).push(buffer);
        }
    }
}
