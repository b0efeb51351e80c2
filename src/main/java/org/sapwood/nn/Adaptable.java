package org.sapwood.nn;

import org.apache.commons.rng.UniformRandomProvider;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.LoraFactors;
import org.sapwood.autograd.Parameter;

/** A matrix that can carry a low-rank adapter (Hu et al. 2021): W + s·B·A with A random and B zero at the start. */
public interface Adaptable {
    /** The matrix W. */
    Parameter weight();

    /** The adapter, if there is one. */
    @Nullable
    LoraFactors lora();

    /**
     * Adds an adapter; its factors, named {@code <matrix>.lora_A.weight} and {@code <matrix>.lora_B.weight}, become
     * parameters of {@code set}. Until initialised both are zero.
     *
     * @param rank r ≥ 1
     * @param scale s
     * @throws IllegalStateException if there is an adapter already
     */
    LoraFactors adapt(ParameterSet set, int rank, float scale);

    /**
     * Adds an adapter that does not change the model yet: A ~ N(0, 1/r²), B = 0.
     *
     * @param rank r ≥ 1
     * @param scale s
     */
    default LoraFactors adapt(ParameterSet set, int rank, float scale, UniformRandomProvider rng) {
        LoraFactors factors = adapt(set, rank, scale);
        Initialization.normal(factors.a(), 1.0 / rank, rng);
        return factors;
    }

    /** Name of a factor of the matrix called {@code weightName}. */
    static String factorName(String weightName, char factor) {
        return weightName.substring(0, weightName.length() - ".weight".length()) + ".lora_" + factor + ".weight";
    }
}
