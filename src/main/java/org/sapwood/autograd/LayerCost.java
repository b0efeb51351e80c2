package org.sapwood.autograd;

/**
 * What one example's clipped gradient of one weight matrix costs, by the way it is obtained. FLOPs count a multiplication
 * and an addition as two; the sums onto the grid are the same for all and counted in none.
 *
 * @param tokens T, rows of one example: its draws times the tokens of each
 * @param inputs p; for a convolution k²·C
 * @param outputs d
 */
public record LayerCost(int tokens, int inputs, int outputs) {
    /** The gradient itself, 2·T·p·d. */
    private double gradient() {
        return 2.0 * tokens * inputs * outputs;
    }

    /** The squared norm of a gradient that is there, 2·p·d. */
    private double norm() {
        return 2.0 * inputs * outputs;
    }

    /** The gradient once, kept, and its norm. */
    public double materialise() {
        return gradient() + norm();
    }

    /** The Gram matrices, 2·T²·(p + d), and their product; then the gradient and, to be certain, its norm. */
    public double ghost() {
        double square = (double) tokens * tokens;
        return 2 * square * (inputs + outputs) + 2 * square + gradient() + norm();
    }

    /** The gradient and its norm, both twice. */
    public double instantiate() {
        return 2 * (gradient() + norm());
    }

    /** Bytes by example of a gradient that is kept. */
    public long rowBytes() {
        return (long) Float.BYTES * inputs * outputs;
    }

    /** Bytes by example of the output gradient, from which the gradient can be made again. */
    public long keptBytes() {
        return (long) Float.BYTES * tokens * outputs;
    }
}
