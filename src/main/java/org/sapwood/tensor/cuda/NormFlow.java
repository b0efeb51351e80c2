package org.sapwood.tensor.cuda;

/**
 * How the norm of a per-example weight gradient is found without storing it. With N tokens per example (the T tokens of
 * all K draws), p inputs and d outputs, the gradient [p, d] is a sum of N outer products.
 */
enum NormFlow {
    /** From inner products of tokens (Goodfellow 2015; Li et al. 2022): 2·N²·(p + d) FLOP. */
    GHOST,
    /** The gradient is made tile by tile and only its squares are kept: 2·N·p·d FLOP. */
    INSTANTIATED;

    /** The flow of fewer FLOP: ghost when N &lt; p·d / (p + d). */
    static NormFlow cheaper(long tokens, long inputs, long outputs) {
        return tokens * (inputs + outputs) < inputs * outputs ? GHOST : INSTANTIATED;
    }
}
