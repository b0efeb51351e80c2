package org.sapwood.tensor;

/**
 * One step of Adam (Kingma and Ba 2015; Loshchilov and Hutter 2019) with everything that depends on the number of the
 * step worked out, so that a host and a device compute the same bits: with gradient g, m ← β₁·m + (1 − β₁)·g,
 * v ← β₂·v + ((1 − β₂)·g)·g, w ← keep·w − (stepSize·m) / (√v·correction + ε), in float32, each operation rounded.
 *
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param epsilon added to the root of the corrected second moment
 * @param correction 1 / √(1 − β₂ᵗ)
 * @param common of all weights but those with a rate of their own
 * @param own of the weights [from, to)
 * @param from first weight with a rate of its own
 * @param to one past the last such weight
 */
public record AdamStep(
        float beta1, float beta2, float epsilon, float correction, Rate common, Rate own, int from, int to) {
    /**
     * What follows from a learning rate.
     *
     * @param stepSize rate / (1 − β₁ᵗ)
     * @param keep 1 − rate · weight decay
     */
    public record Rate(float stepSize, float keep) {}
}
