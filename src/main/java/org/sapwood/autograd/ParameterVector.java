package org.sapwood.autograd;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.sapwood.tensor.HeapStorage;

/**
 * The trainable parameters of a model laid end to end: coordinate j of every gradient, noise vector and optimizer state
 * is coordinate j of this vector. Frozen when made; later changes of {@link Parameter#setTrainable} do not reach it.
 */
public final class ParameterVector {
    private final List<Parameter> parameters;
    private final int[] offsets;
    private final Map<Parameter, Integer> positions = new IdentityHashMap<>();
    private final int size;

    private ParameterVector(List<Parameter> parameters) {
        this.parameters = List.copyOf(parameters);
        this.offsets = new int[parameters.size()];
        int total = 0;
        for (int i = 0; i < offsets.length; i++) {
            offsets[i] = total;
            positions.put(parameters.get(i), i);
            total = Math.addExact(total, parameters.get(i).size());
        }
        this.size = total;
    }

    /** The trainable ones among {@code parameters}, in that order. */
    public static ParameterVector ofTrainable(Iterable<Parameter> parameters) {
        List<Parameter> trainable = new ArrayList<>();
        for (Parameter parameter : parameters) {
            if (parameter.trainable()) {
                trainable.add(parameter);
            }
        }
        return new ParameterVector(trainable);
    }

    public List<Parameter> parameters() {
        return parameters;
    }

    /** Number of coordinates. */
    public int size() {
        return size;
    }

    /** First coordinate of the {@code index}-th parameter. */
    public int offset(int index) {
        return offsets[index];
    }

    /** First coordinates of all parameters. */
    int[] offsets() {
        return offsets.clone();
    }

    /**
     * Position of {@code parameter} in {@link #parameters()}.
     *
     * @throws IllegalArgumentException if it is not part of this vector: a gradient without a coordinate would escape
     *     the norm that clipping bounds
     */
    public int position(Parameter parameter) {
        Integer position = positions.get(parameter);
        if (position == null) {
            throw new IllegalArgumentException("parameter " + parameter.name()
                    + " is trained on the tape but missing from the parameter vector; make the vector after freezing");
        }
        return position;
    }

    /** Copies the parameters' values to {@code target[0, size)}. */
    public void read(float[] target) {
        for (int i = 0; i < offsets.length; i++) {
            Parameter p = parameters.get(i);
            System.arraycopy(p.value().array(), p.value().offset(), target, offsets[i], p.size());
        }
    }

    /** Sets the parameters' values from {@code source[0, size)}. */
    public void write(float[] source) {
        for (int i = 0; i < offsets.length; i++) {
            write(source, i);
        }
    }

    /** Sets the values of the {@code index}-th parameter alone from the same {@code source}. */
    public void write(float[] source, int index) {
        Parameter p = parameters.get(index);
        System.arraycopy(source, offsets[index], p.value().array(), p.value().offset(), p.size());
        if (p.value().storage() instanceof HeapStorage heap) {
            heap.changed();
        }
    }
}
