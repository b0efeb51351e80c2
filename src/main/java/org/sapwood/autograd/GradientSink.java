package org.sapwood.autograd;

import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Tensor;

/**
 * Receives, during {@link Tape#backward}, all that is needed to form the gradients of the trainable parameters. What it
 * makes of them is what distinguishes ordinary training from private training.
 *
 * <p>Operations call it only for trainable parameters. The tensors are valid during the call alone, but x, which
 * stays as it is until the next forward pass.
 */
public interface GradientSink {
    /** A matrix [out, in] applied to every token: gradient α·Σ_t dy[b, t]ᵀ·x[b, t]. x [B, T, in], dy [B, T, out]. */
    void weight(Parameter weight, Tensor x, Tensor dy, float alpha);

    /**
     * A convolution weight [k, k, in, out]. Its gradient and that of the input come from the same dy, so the sink has the
     * input's made as well. Arguments as in {@code Backend.conv2dBackward}.
     *
     * @param dx null if the input needs no gradient
     */
    void convolution(
            Parameter weight, Tensor x, Tensor dy, ConvGeometry geometry, @Nullable Tensor dx, boolean accumulate);

    /** A bias added to every token: gradient Σ_t dy[b, t]. dy [B, T, C]. */
    void bias(Parameter bias, Tensor dy);

    /**
     * Scale and shift of a group normalisation. Their gradients and that of the input come from the same pass over x and
     * dy, so the sink has the input's made as well. Arguments as in {@code Backend.groupNormBackward}.
     *
     * @param dx null if the input needs no gradient
     */
    void groupNorm(
            @Nullable Parameter gamma,
            @Nullable Parameter beta,
            Tensor x,
            Tensor gammaValue,
            Tensor betaValue,
            int groups,
            boolean silu,
            Tensor statistics,
            Tensor dy,
            @Nullable Tensor dx,
            boolean accumulate);

    /**
     * The scale of a layer normalisation, whose shift is a bias: gradient Σ_t dy[b, t]·x̂[b, t]. Arguments as in
     * {@code Backend.layerNormScaleGradient}.
     */
    void layerNormScale(Parameter gamma, Tensor x, Tensor statistics, Tensor dy);

    /** An embedding table [V, C] of which sample b used row {@code indices[b]}. dy [B, C]. */
    void embedding(Parameter table, Indices indices, Tensor dy);
}
