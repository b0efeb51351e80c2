package org.sapwood.autograd;

/**
 * The two factors of a low-rank adapter, W + s·B·A (Hu et al. 2021, arXiv 2106.09685).
 *
 * @param a [r, in], or [k, k, in, r] for a convolution
 * @param b [out, r]
 * @param scale s
 */
public record LoraFactors(Parameter a, Parameter b, float scale) {
    public LoraFactors {
        int rank = a.layout() == DiskLayout.CONVOLUTION
                ? a.value().dim(3)
                : a.value().dim(0);
        if (rank != b.value().dim(1)) {
            throw new IllegalArgumentException("LoRA ranks differ: " + a + " and " + b);
        }
    }

    /** r. */
    public int rank() {
        return b.value().dim(1);
    }
}
