package org.sapwood.nn;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.DiskLayout;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.tensor.Tensor;

/** The parameters of a model by name, in the order in which the model made them. */
public final class ParameterSet {
    private final Map<String, Parameter> byName = new LinkedHashMap<>();

    /**
     * Adds a parameter of zeros.
     *
     * @param name diffusers' name; must be new
     * @param extents shape in memory
     */
    public Parameter add(String name, DiskLayout layout, int... extents) {
        Parameter parameter = new Parameter(name, Tensor.zeros(extents), layout);
        if (byName.putIfAbsent(name, parameter) != null) {
            throw new IllegalArgumentException("parameter " + name + " exists already");
        }
        return parameter;
    }

    public Collection<Parameter> all() {
        return Collections.unmodifiableCollection(byName.values());
    }

    public @Nullable Parameter find(String name) {
        return byName.get(name);
    }

    /** Number of weights in all parameters together. */
    public long size() {
        return all().stream().mapToLong(Parameter::size).sum();
    }

    /** Makes exactly the parameters whose name satisfies {@code condition} trainable. */
    public void trainOnly(Predicate<String> condition) {
        all().forEach(p -> p.setTrainable(condition.test(p.name())));
    }

    /** The trainable parameters laid end to end. */
    public ParameterVector trainable() {
        return ParameterVector.ofTrainable(all());
    }
}
