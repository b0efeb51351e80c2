package org.sapwood.autograd;

/**
 * One use of a weight matrix on a tape, in sizes alone: what its gradient costs. A convolution is the product of its
 * unfolded windows with the matrix.
 *
 * @param weight the matrix, p × d numbers in any order
 * @param tokens T, rows that one sample multiplies with it
 * @param inputs p, width of such a row
 * @param outputs d, width of the result
 * @param trained whether the tape differentiates it
 */
public record WeightUse(Parameter weight, int tokens, int inputs, int outputs, boolean trained) {
    /** Multiplications and additions of one product of this shape for one sample: 2·T·p·d. */
    public double flops() {
        return 2.0 * tokens * inputs * outputs;
    }
}
