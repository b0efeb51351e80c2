package org.sapwood.tensor.cuda;

import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Who computes products of matrices.
 *
 * <p>Only {@link #OWN} keeps the law of {@link org.sapwood.tensor.Backend} that the bits of a sample depend on that
 * sample alone. cuBLAS picks its algorithm by the sizes and the alignment of the whole product: the order in which the
 * terms of one element are added, even a split of them over several blocks, may change with the number of rows, so with
 * the batch. What that costs:
 *
 * <ul>
 *   <li>Results are the same from run to run for the same batches, but the size of the micro-batch becomes part of the
 *       result, in pretraining and in sampling alike.
 *   <li>Private training loses its proof. The exact sensitivity C rests on a sum of terms that each depend on one
 *       example. If an example more or less moves others into a batch of another size, their clipped gradients change by
 *       rounding errors, and the sum by more than C, by an amount that nobody has bounded. That every gradient is
 *       clipped as computed does not help: it bounds each term, not how far the others move.
 * </ul>
 *
 * <p>Hence cuBLAS is never chosen unasked, and {@link #requireOwn} keeps it out of what is private.
 */
public enum MatrixProducts {
    /** The project's kernels, {@code kernels/gemm.cu}. */
    OWN,
    /** NVIDIA's cuBLAS, if it is on this machine; for work on public data, and as a yardstick. */
    CUBLAS;

    /** System property that names the provider; {@code own} when absent. */
    public static final String PROPERTY = "sapwood.cuda.products";

    /**
     * The provider that the system property asks for, whether it is there or not.
     *
     * @throws IllegalArgumentException if there is none of that name
     */
    public static MatrixProducts chosen() {
        String name = System.getProperty(PROPERTY, OWN.key());
        return Arrays.stream(values())
                .filter(provider -> provider.key().equals(name.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalArgumentException(PROPERTY + " must be one of own, cublas, got '" + name + "'"));
    }

    /** Why the bits of a sample may depend on others, or null if they depend on that sample alone. */
    public static @Nullable String mixing() {
        MatrixProducts chosen = chosen();
        return chosen == OWN
                ? null
                : "needs products whose bits do not depend on the batch, and " + PROPERTY + "=" + chosen.key()
                        + " does not give them: leave the property out";
    }

    /**
     * Refuses to go on with a provider under which samples mix.
     *
     * @param work what needs samples that depend on themselves alone
     * @throws IllegalStateException unless the project's own kernels are chosen
     */
    static void requireOwn(String work) {
        String reason = mixing();
        if (reason != null) {
            throw new IllegalStateException(work + " " + reason);
        }
    }

    /** The name in the property. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
