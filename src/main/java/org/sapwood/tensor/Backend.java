package org.sapwood.tensor;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Every numeric primitive of Sapwood, on one page. A backend instance belongs to one worker thread and owns that
 * worker's scratch memory (on a device, its stream); it is not thread-safe. Workers share tensors only for reading.
 *
 * <p>Conventions. B is the batch, T the tokens of a sample (pixels, row-major), C channels. Any tensor that is
 * described as [R, C] may have any rank whose innermost extent is C. Outputs never overlap inputs unless stated.
 * {@code accumulate} adds to the output instead of replacing it. Samples never mix: the values and the bits of sample b
 * depend on sample b alone, wherever it stands in the batch and however large the batch is. NaN and infinities
 * propagate as IEEE 754 says; no primitive throws for them.
 *
 * <p>Shapes are checked by the recording layer ({@code autograd}), once, not at each replay.
 */
public interface Backend extends AutoCloseable {
    /** {@code scalar}, {@code simd} or {@code cuda}. */
    String name();

    // ---- memory ---------------------------------------------------------------------------------------------------

    /** Memory of its own, filled with zeros. */
    Tensor allocate(Shape shape);

    /** Copies {@code target.size()} values from {@code source[from…]}. */
    void upload(float[] source, int from, Tensor target);

    /** Copies {@code source.size()} values to {@code target[to…]}. */
    void download(Tensor source, float[] target, int to);

    /** y = value, everywhere. */
    void fill(Tensor y, float value);

    // ---- blas -----------------------------------------------------------------------------------------------------

    /**
     * C = α·op(A)·op(B), or C += … with {@code accumulate}; all three are matrices and op transposes where asked.
     * op(A) is [M, K], op(B) is [K, N], C is [M, N].
     */
    void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, float alpha, Tensor c, boolean accumulate);

    /** y = x·Wᵀ + bias. x [R, in], weight [out, in], bias [out], y [R, out]. */
    void linear(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor y);

    /** dx = dy·W. dy [R, out], weight [out, in], dx [R, in]. */
    void linearBackwardInput(Tensor dy, Tensor weight, Tensor dx, boolean accumulate);

    // ---- lora -----------------------------------------------------------------------------------------------------

    /**
     * y += s·(x·Aᵀ)·Bᵀ, keeping xa = x·Aᵀ for the backward pass (Hu et al. 2021). x [R, in], a [r, in], b [out, r],
     * xa [R, r], y [R, out].
     */
    void lora(Tensor x, Tensor a, Tensor b, float scale, Tensor xa, Tensor y);

    /**
     * dyb = s·dy·B, and dx += dyb·A where {@code dx} is wanted. dy [R, out], a [r, in], b [out, r], dyb [R, r],
     * dx [R, in]; always adds to {@code dx}. The factor gradients follow from {@link #weightGradient}: dA from
     * (x, dyb), dB from (xa, s·dy).
     */
    void loraBackwardInput(Tensor dy, Tensor a, Tensor b, float scale, Tensor dyb, @Nullable Tensor dx);

    // ---- convolution ----------------------------------------------------------------------------------------------

    /** y = x ∗ W + bias. x [B, H·W, Cin], weight [k, k, Cin, Cout], bias [Cout], y [B, H'·W', Cout]. */
    void conv2d(Tensor x, Tensor weight, @Nullable Tensor bias, ConvGeometry geometry, Tensor y);

    /** dx from dy, the transpose of {@link #conv2d} in x. */
    void conv2dBackwardInput(Tensor dy, Tensor weight, ConvGeometry geometry, Tensor dx, boolean accumulate);

    /** Nearest-neighbour enlargement by two. x [B, H·W, C], y [B, 2H·2W, C]. */
    void upsample2x(Tensor x, int height, int width, Tensor y);

    /** dx = sum of the four dy of each pixel; {@code height} and {@code width} are those of x. */
    void upsample2xBackward(Tensor dy, int height, int width, Tensor dx, boolean accumulate);

    // ---- normalization --------------------------------------------------------------------------------------------

    /**
     * Group normalisation (Wu and He 2018) over the T·(C/groups) values of each group of a sample, then scale and shift
     * per channel, then SiLU if {@code silu}. x, y [B, T, C]; gamma, beta [C]; {@code statistics} [B, groups, 2] keeps
     * mean and 1/√(var + ε), var being the biased variance.
     */
    void groupNorm(
            Tensor x, Tensor gamma, Tensor beta, int groups, float epsilon, boolean silu, Tensor statistics, Tensor y);

    /** dx of {@link #groupNorm}; {@code dy} is the gradient after the SiLU, if there was one. */
    void groupNormBackwardInput(
            Tensor x,
            Tensor gamma,
            Tensor beta,
            int groups,
            boolean silu,
            Tensor statistics,
            Tensor dy,
            Tensor dx,
            boolean accumulate);

    /**
     * Layer normalisation (Ba, Kiros and Hinton 2016): each token by the mean and the biased variance of its channels,
     * then scale and shift per channel. x, y [B, T, C]; gamma, beta [C]; {@code statistics} [B, T, 2] keeps mean and
     * 1/√(var + ε).
     */
    void layerNorm(Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor statistics, Tensor y);

    /** dx of {@link #layerNorm}. */
    void layerNormBackwardInput(Tensor x, Tensor gamma, Tensor statistics, Tensor dy, Tensor dx, boolean accumulate);

    // ---- attention ------------------------------------------------------------------------------------------------

    /**
     * Multi-head scaled dot-product attention, softmax(q·kᵀ/√d)·v with d = C / heads. q, y [B, Tq, C]; k, v
     * [B, Tk, C]; {@code logSumExp} [B, heads, Tq] keeps the softmax's logarithmic normaliser, from which the backward
     * pass recomputes the probabilities (Dao et al. 2022), so nothing of size Tq × Tk is stored.
     */
    void attention(Tensor q, Tensor k, Tensor v, int heads, Tensor logSumExp, Tensor y);

    /** dq, dk, dv of {@link #attention}; each output is replaced or added to by its own flag. */
    void attentionBackward(
            Tensor q,
            Tensor k,
            Tensor v,
            int heads,
            Tensor logSumExp,
            Tensor y,
            Tensor dy,
            Tensor dq,
            boolean accumulateQ,
            Tensor dk,
            boolean accumulateK,
            Tensor dv,
            boolean accumulateV);

    // ---- elementwise ----------------------------------------------------------------------------------------------

    /** y = a + b; y may be a or b. */
    void add(Tensor a, Tensor b, Tensor y);

    /** y = α·x, or y += α·x. */
    void scale(Tensor x, float alpha, Tensor y, boolean accumulate);

    /** y = x·sigmoid(x). */
    void silu(Tensor x, Tensor y);

    /** dx = dy·(σ(x) + x·σ(x)·(1 − σ(x))). */
    void siluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate);

    /** y = max(x, 0); NaN stays NaN. */
    void relu(Tensor x, Tensor y);

    /** dx = dy where x > 0, else 0. */
    void reluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate);

    /** y = x where x > 0, else slope·x; NaN stays NaN. 0 < slope < 1. */
    void leakyRelu(Tensor x, float slope, Tensor y);

    /** dx = dy where x > 0, else slope·dy. */
    void leakyReluBackward(Tensor x, float slope, Tensor dy, Tensor dx, boolean accumulate);

    /** y = tanh(x). */
    void tanh(Tensor x, Tensor y);

    /** dx = dy·(1 − y²), from the output of {@link #tanh}. */
    void tanhBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate);

    /**
     * Gated GELU (Shazeer 2020), as diffusers' {@code GEGLU} without its projection: y = h·g·Φ(g), with h the first and
     * g the second half of the channels of x and Φ the distribution function of the standard normal, exact and not by
     * tanh. x [R, 2F], y [R, F].
     */
    void geglu(Tensor x, Tensor y);

    /** dx of {@link #geglu}: dy·g·Φ(g) for the first half and dy·h·(Φ(g) + g·φ(g)) for the second, φ = Φ'. */
    void gegluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate);

    /** y[b, t, c] = x[b, t, c] + v[b, c]; y may be x. x, y [B, T, C]; v [B, C]. */
    void addPerSample(Tensor x, Tensor v, Tensor y);

    /** y[b, c] = α·Σ_t x[b, t, c]; the backward of {@link #addPerSample} (α = 1), and mean pooling (α = 1/T). */
    void sumTokens(Tensor x, float alpha, Tensor y, boolean accumulate);

    /** dx[b, t, c] = α·dy[b, c], the backward of {@link #sumTokens}. */
    void broadcastTokens(Tensor dy, float alpha, Tensor dx, boolean accumulate);

    /** y = (a | b) along channels. a [R, Ca], b [R, Cb], y [R, Ca + Cb]. */
    void concatChannels(Tensor a, Tensor b, Tensor y);

    /** y = channels [from, from + Cy) of x, the backward of {@link #concatChannels}. x [R, C], y [R, Cy]. */
    void sliceChannels(Tensor x, int from, Tensor y, boolean accumulate);

    // ---- embedding ------------------------------------------------------------------------------------------------

    /** y[b] = table[indices[b]]. table [V, C], y [B, C]; every index must be in [0, V). */
    void embedding(Tensor table, Indices indices, Tensor y);

    // ---- losses ---------------------------------------------------------------------------------------------------

    /**
     * Mean squared error of each sample, and its gradient times {@code gradientScale}: loss[b] = Σ(ŷ − y)²/n,
     * dPrediction = 2·gradientScale·(ŷ − y)/n over the n values of a sample. prediction, target, dPrediction [B, …];
     * loss [B].
     */
    void meanSquaredError(Tensor prediction, Tensor target, float gradientScale, Tensor loss, Tensor dPrediction);

    /**
     * Softmax cross entropy of each sample, and its gradient times {@code gradientScale}. logits, dLogits [B, V];
     * loss [B]; every label must be in [0, V).
     */
    void crossEntropy(Tensor logits, Indices labels, float gradientScale, Tensor loss, Tensor dLogits);

    // ---- gaussian latents -----------------------------------------------------------------------------------------

    /**
     * A draw of a diagonal Gaussian per position (Kingma and Welling 2014): z = μ + e^{v/2}·noise, where channels [0, L) of
     * {@code moments} are μ and channels [L, 2L) the logarithm of the variance, v once it is held to [−30, 20].
     * moments [B, T, 2L]; noise, z [B, T, L].
     */
    void gaussianSample(Tensor moments, Tensor noise, Tensor z);

    /** dMoments of {@link #gaussianSample}: (dz, ½·dz·noise·e^{v/2}), the second 0 where v was held back. */
    void gaussianSampleBackward(Tensor moments, Tensor noise, Tensor dz, Tensor dMoments, boolean accumulate);

    /**
     * Kullback–Leibler divergence of each sample's Gaussians from N(0, I), and its gradient times {@code gradientScale}:
     * divergence[b] = ½·Σ(μ² + e^v − 1 − v), dMoments = gradientScale·(μ, ½·(e^v − 1)). moments, dMoments [B, T, 2L] as in
     * {@link #gaussianSample}; divergence [B].
     */
    void gaussianDivergence(Tensor moments, float gradientScale, Tensor divergence, Tensor dMoments);

    // ---- private gradients ----------------------------------------------------------------------------------------

    /** Gradient of {@code weight} [out, in] of {@link #linear}: Σ_t dy[b, t]ᵀ·x[b, t]. x [B, T, in], dy [B, T, out]. */
    void weightGradient(Tensor x, Tensor dy, float alpha, GradientRows target);

    /** Gradient of {@code weight} [k, k, Cin, Cout] of {@link #conv2d}. */
    void convWeightGradient(Tensor x, Tensor dy, ConvGeometry geometry, GradientRows target);

    /**
     * {@link #conv2dBackwardInput} and {@link #convWeightGradient} in one, for a backend that has to bring dy into another
     * form first.
     */
    default void conv2dBackward(
            Tensor x,
            Tensor dy,
            Tensor weight,
            ConvGeometry geometry,
            Tensor dx,
            boolean accumulate,
            GradientRows target) {
        conv2dBackwardInput(dy, weight, geometry, dx, accumulate);
        convWeightGradient(x, dy, geometry, target);
    }

    /** Gradient of a bias, Σ_t dy[b, t]. dy [B, T, C]. */
    void biasGradient(Tensor dy, GradientRows target);

    /** Gradients of gamma and beta of {@link #groupNorm}; arguments as in {@link #groupNormBackwardInput}. */
    void groupNormParameterGradient(
            Tensor x,
            Tensor gamma,
            Tensor beta,
            int groups,
            boolean silu,
            Tensor statistics,
            Tensor dy,
            @Nullable GradientRows gammaTarget,
            @Nullable GradientRows betaTarget);

    /**
     * Gradient of gamma of {@link #layerNorm}, Σ_t dy[b, t]·x̂[b, t] with the normalised x̂ = (x − mean)/√(var + ε); that
     * of beta is {@link #biasGradient}. x, dy [B, T, C].
     */
    void layerNormScaleGradient(Tensor x, Tensor statistics, Tensor dy, GradientRows target);

    /**
     * {@link #groupNormParameterGradient} and {@link #groupNormBackwardInput} in one, for a backend that then makes
     * one pass over dy for both.
     */
    default void groupNormBackward(
            Tensor x,
            Tensor gamma,
            Tensor beta,
            int groups,
            boolean silu,
            Tensor statistics,
            Tensor dy,
            Tensor dx,
            boolean accumulate,
            @Nullable GradientRows gammaTarget,
            @Nullable GradientRows betaTarget) {
        groupNormParameterGradient(x, gamma, beta, groups, silu, statistics, dy, gammaTarget, betaTarget);
        groupNormBackwardInput(x, gamma, beta, groups, silu, statistics, dy, dx, accumulate);
    }

    /**
     * Gradient of {@code table} [V, C] of {@link #embedding}: row indices[b] receives dy[b], all other rows zero
     * (unless the target accumulates). dy [B, C].
     */
    void embeddingGradient(Indices indices, int rows, Tensor dy, GradientRows target);

    /**
     * Squared Euclidean norm, in fp64, of columns [from, from + length) of every row of {@code matrix}:
     * out[row] = Σ (double) g². A row with a NaN or an infinity gives NaN or +∞.
     */
    void squaredNorms(Tensor matrix, int from, int length, double[] out);

    /**
     * Squared norms of what {@link #weightGradient} makes, which a device need not store for that: norms[i, column] is that
     * of the gradient summed over the {@code samplesPerRow} consecutive samples of example i.
     *
     * @param norms [examples, columns]; only one column is written
     * @param scratch [examples, in · out] for a backend that does store it; otherwise null
     */
    default void weightGradientNorms(
            Tensor x, Tensor dy, float alpha, int samplesPerRow, Tensor norms, int column, @Nullable Tensor scratch) {
        Tensor rows = Objects.requireNonNull(scratch);
        weightGradient(x, dy, alpha, new GradientRows(rows, 0, samplesPerRow, false));
        squaredNorms(rows, norms, column);
    }

    /** The same for {@link #convWeightGradient}. */
    default void convWeightGradientNorms(
            Tensor x,
            Tensor dy,
            ConvGeometry geometry,
            int samplesPerRow,
            Tensor norms,
            int column,
            @Nullable Tensor scratch) {
        Tensor rows = Objects.requireNonNull(scratch);
        convWeightGradient(x, dy, geometry, new GradientRows(rows, 0, samplesPerRow, false));
        squaredNorms(rows, norms, column);
    }

    private void squaredNorms(Tensor rows, Tensor norms, int column) {
        double[] squares = new double[rows.dim(0)];
        squaredNorms(rows, 0, rows.dim(1), squares);
        for (int row = 0; row < squares.length; row++) {
            norms.array()[norms.offset() + row * norms.dim(1) + column] = (float) squares[row];
        }
    }

    /**
     * Adds columns [from, from + length) of every row, times its scale, to an integer grid:
     * sums[to + j] += Σ_row rint((double) matrix[row, from + j] · scales[row]), ties to even, exactly as
     * {@link Math#rint}. A row of scale 0 is not read; of the others every product must be below 2⁵¹ in magnitude.
     * Exact integer sums are associative, which is what makes a private sum independent of order, threads and devices.
     */
    void accumulateOnGrid(Tensor matrix, int from, int length, float[] scales, long[] sums, int to);

    // ---- whole sequences ------------------------------------------------------------------------------------------

    /**
     * Wraps a sequence of calls to this backend that is the same at every run: the same primitives with the same tensors,
     * weights and indices, whose contents may change in between. A backend may record it and replay the record. The
     * sequence must not copy from or to the heap.
     */
    default Runnable record(Runnable calls) {
        return calls;
    }

    /** Whether calls return before they are done and memory is not the heap's, so that one worker keeps it busy. */
    default boolean isDevice() {
        return false;
    }

    /** Waits until every call so far is done. */
    default void synchronize() {}

    /** The seconds that some calls take, by the device's own clock if there is a device; waits until they are done. */
    default double seconds(Runnable calls) {
        long start = System.nanoTime();
        calls.run();
        return (System.nanoTime() - start) * 1e-9;
    }

    /** Bytes of memory that can still be taken; as good as unlimited where {@link #isDevice} is false. */
    default long freeMemory() {
        return Long.MAX_VALUE;
    }

    /**
     * A training state on this backend's device, or null if it has none: then sums, noise and optimizer belong to the
     * host. From then on this backend computes with the weights of the state, not with those of the heap.
     *
     * @param weights the trainable parameters in the order of their coordinates; heap tensors that this backend has not
     *     read yet
     * @param plan how gradients are bounded; null if the training is not private
     */
    default @Nullable DeviceTraining train(List<Tensor> weights, @Nullable ClipPlan plan) {
        return null;
    }

    /** Releases scratch memory and device resources. */
    @Override
    void close();
}
