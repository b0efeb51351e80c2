package org.sapwood.tensor.cuda;

import java.util.Arrays;
import java.util.Locale;

/**
 * How products of matrices, convolutions and attention are computed. Tensors are float32 in memory and sums are kept in
 * float32 in any case; what differs is the format to which factors are rounded before they are multiplied.
 */
public enum Precision {
    /** Float32 throughout, without tensor cores: what the conformance suite holds to the reference. */
    FP32,
    /** Factors rounded to TF32, 10 bits of fraction, for the tensor cores. */
    TF32,
    /** Factors rounded to bfloat16, 7 bits of fraction, for the tensor cores. */
    BF16;

    /** System property that names the precision; {@code fp32} when absent. */
    public static final String PROPERTY = "sapwood.cuda.precision";

    /**
     * The precision that the system property asks for.
     *
     * @throws IllegalArgumentException if there is none of that name
     */
    public static Precision chosen() {
        String name = System.getProperty(PROPERTY, FP32.suffix());
        return Arrays.stream(values())
                .filter(precision -> precision.suffix().equals(name.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        PROPERTY + " must be one of fp32, tf32, bf16, got '" + name + "'"));
    }

    /** The last part of the name of a kernel of this precision. */
    String suffix() {
        return name().toLowerCase(Locale.ROOT);
    }
}
