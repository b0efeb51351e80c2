package org.sapwood.tensor.simd;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.HeapStorage;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;
import org.sapwood.tensor.scalar.ScalarBackend;

/**
 * The Vector API backend; each family of ops is a class of its own, called {@code Simd…}. Embeddings and losses touch too
 * few values to gain from vectors and are those of the scalar backend.
 *
 * <p>Scratch memory grows to what the largest call needs and is then reused: a steady state allocates nothing.
 */
public final class SimdBackend implements Backend {
    private final ScalarBackend scalar = new ScalarBackend();
    private final SimdBlas blas;
    private final SimdLora lora;
    private final SimdConvolution convolution;
    private final SimdNormalization normalization = new SimdNormalization();
    private final SimdLayerNorm layerNorm = new SimdLayerNorm();
    private final SimdAttention attention;
    private final SimdPrivateGradients privateGradients;

    private SimdBackend() {
        RowGemm rowGemm = new RowGemm();
        ColumnGemm columnGemm = new ColumnGemm();
        blas = new SimdBlas(rowGemm, columnGemm);
        lora = new SimdLora(blas);
        convolution = new SimdConvolution(rowGemm, columnGemm);
        attention = new SimdAttention(rowGemm, columnGemm);
        privateGradients = new SimdPrivateGradients(scalar, columnGemm, convolution);
    }

    /** A backend for one worker thread. */
    public static Backend open() {
        return new SimdBackend();
    }

    /** What runs here, such as {@code "512-bit vectors, 16 float lanes"}. */
    public static String describe() {
        return Lanes.LANES.vectorBitSize() + "-bit vectors, " + Lanes.V + " float lanes";
    }

    @Override
    public String name() {
        return "simd";
    }

    @Override
    public Tensor allocate(Shape shape) {
        return new Tensor(shape, new HeapStorage(new float[shape.size()]), 0);
    }

    @Override
    public void upload(float[] source, int from, Tensor target) {
        System.arraycopy(source, from, target.array(), target.offset(), target.size());
    }

    @Override
    public void download(Tensor source, float[] target, int to) {
        System.arraycopy(source.array(), source.offset(), target, to, source.size());
    }

    @Override
    public void fill(Tensor y, float value) {
        Arrays.fill(y.array(), y.offset(), y.offset() + y.size(), value);
    }

    @Override
    public void matmul(
            Tensor a, boolean transposeA, Tensor b, boolean transposeB, float alpha, Tensor c, boolean accumulate) {
        blas.matmul(a, transposeA, b, transposeB, alpha, c, accumulate);
    }

    @Override
    public void linear(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor y) {
        blas.linear(x, weight, bias, y);
    }

    @Override
    public void linearBackwardInput(Tensor dy, Tensor weight, Tensor dx, boolean accumulate) {
        blas.linearBackwardInput(dy, weight, 1f, dx, accumulate);
    }

    @Override
    public void lora(Tensor x, Tensor a, Tensor b, float scale, Tensor xa, Tensor y) {
        lora.lora(x, a, b, scale, xa, y);
    }

    @Override
    public void loraBackwardInput(Tensor dy, Tensor a, Tensor b, float scale, Tensor dyb, @Nullable Tensor dx) {
        lora.loraBackwardInput(dy, a, b, scale, dyb, dx);
    }

    @Override
    public void conv2d(Tensor x, Tensor weight, @Nullable Tensor bias, ConvGeometry geometry, Tensor y) {
        convolution.conv2d(x, weight, bias, geometry, y);
    }

    @Override
    public void conv2dBackwardInput(Tensor dy, Tensor weight, ConvGeometry geometry, Tensor dx, boolean accumulate) {
        convolution.conv2dBackwardInput(dy, weight, geometry, dx, accumulate);
    }

    @Override
    public void upsample2x(Tensor x, int height, int width, Tensor y) {
        SimdElementwise.upsample2x(x, height, width, y);
    }

    @Override
    public void upsample2xBackward(Tensor dy, int height, int width, Tensor dx, boolean accumulate) {
        SimdElementwise.upsample2xBackward(dy, height, width, dx, accumulate);
    }

    @Override
    public void groupNorm(
            Tensor x, Tensor gamma, Tensor beta, int groups, float epsilon, boolean silu, Tensor statistics, Tensor y) {
        normalization.groupNorm(x, gamma, beta, groups, epsilon, silu, statistics, y);
    }

    @Override
    public void groupNormBackwardInput(
            Tensor x,
            Tensor gamma,
            Tensor beta,
            int groups,
            boolean silu,
            Tensor statistics,
            Tensor dy,
            Tensor dx,
            boolean accumulate) {
        normalization.groupNormBackward(x, gamma, beta, groups, silu, statistics, dy, dx, accumulate, null, null);
    }

    @Override
    public void layerNorm(Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor statistics, Tensor y) {
        layerNorm.layerNorm(x, gamma, beta, epsilon, statistics, y);
    }

    @Override
    public void layerNormBackwardInput(
            Tensor x, Tensor gamma, Tensor statistics, Tensor dy, Tensor dx, boolean accumulate) {
        layerNorm.layerNormBackwardInput(x, gamma, statistics, dy, dx, accumulate);
    }

    @Override
    public void attention(Tensor q, Tensor k, Tensor v, int heads, Tensor logSumExp, Tensor y) {
        attention.attention(q, k, v, heads, logSumExp, y);
    }

    @Override
    public void attentionBackward(
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
            boolean accumulateV) {
        attention.attentionBackward(
                q, k, v, heads, logSumExp, y, dy, dq, accumulateQ, dk, accumulateK, dv, accumulateV);
    }

    @Override
    public void add(Tensor a, Tensor b, Tensor y) {
        SimdElementwise.add(a, b, y);
    }

    @Override
    public void scale(Tensor x, float alpha, Tensor y, boolean accumulate) {
        SimdElementwise.scale(x, alpha, y, accumulate);
    }

    @Override
    public void silu(Tensor x, Tensor y) {
        SimdElementwise.silu(x, y);
    }

    @Override
    public void siluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        SimdElementwise.siluBackward(x, dy, dx, accumulate);
    }

    @Override
    public void relu(Tensor x, Tensor y) {
        SimdElementwise.relu(x, y);
    }

    @Override
    public void reluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        SimdElementwise.reluBackward(x, dy, dx, accumulate);
    }

    @Override
    public void leakyRelu(Tensor x, float slope, Tensor y) {
        SimdElementwise.leakyRelu(x, slope, y);
    }

    @Override
    public void leakyReluBackward(Tensor x, float slope, Tensor dy, Tensor dx, boolean accumulate) {
        SimdElementwise.leakyReluBackward(x, slope, dy, dx, accumulate);
    }

    @Override
    public void tanh(Tensor x, Tensor y) {
        SimdElementwise.tanh(x, y);
    }

    @Override
    public void tanhBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        SimdElementwise.tanhBackward(y, dy, dx, accumulate);
    }

    @Override
    public void geglu(Tensor x, Tensor y) {
        SimdElementwise.geglu(x, y);
    }

    @Override
    public void gegluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        SimdElementwise.gegluBackward(x, dy, dx, accumulate);
    }

    @Override
    public void addPerSample(Tensor x, Tensor v, Tensor y) {
        SimdElementwise.addPerSample(x, v, y);
    }

    @Override
    public void sumTokens(Tensor x, float alpha, Tensor y, boolean accumulate) {
        SimdElementwise.sumTokens(x, alpha, y, accumulate);
    }

    @Override
    public void broadcastTokens(Tensor dy, float alpha, Tensor dx, boolean accumulate) {
        SimdElementwise.broadcastTokens(dy, alpha, dx, accumulate);
    }

    @Override
    public void concatChannels(Tensor a, Tensor b, Tensor y) {
        SimdElementwise.concatChannels(a, b, y);
    }

    @Override
    public void sliceChannels(Tensor x, int from, Tensor y, boolean accumulate) {
        SimdElementwise.sliceChannels(x, from, y, accumulate);
    }

    @Override
    public void embedding(Tensor table, Indices indices, Tensor y) {
        scalar.embedding(table, indices, y);
    }

    @Override
    public void meanSquaredError(
            Tensor prediction, Tensor target, float gradientScale, Tensor loss, Tensor dPrediction) {
        scalar.meanSquaredError(prediction, target, gradientScale, loss, dPrediction);
    }

    @Override
    public void crossEntropy(Tensor logits, Indices labels, float gradientScale, Tensor loss, Tensor dLogits) {
        scalar.crossEntropy(logits, labels, gradientScale, loss, dLogits);
    }

    @Override
    public void gaussianSample(Tensor moments, Tensor noise, Tensor z) {
        scalar.gaussianSample(moments, noise, z);
    }

    @Override
    public void gaussianSampleBackward(Tensor moments, Tensor noise, Tensor dz, Tensor dMoments, boolean accumulate) {
        scalar.gaussianSampleBackward(moments, noise, dz, dMoments, accumulate);
    }

    @Override
    public void gaussianDivergence(Tensor moments, float gradientScale, Tensor divergence, Tensor dMoments) {
        scalar.gaussianDivergence(moments, gradientScale, divergence, dMoments);
    }

    @Override
    public void weightGradient(Tensor x, Tensor dy, float alpha, GradientRows target) {
        privateGradients.weightGradient(x, dy, alpha, target);
    }

    @Override
    public void convWeightGradient(Tensor x, Tensor dy, ConvGeometry geometry, GradientRows target) {
        privateGradients.convWeightGradient(x, dy, geometry, target);
    }

    @Override
    public void biasGradient(Tensor dy, GradientRows target) {
        SimdPrivateGradients.biasGradient(dy, target);
    }

    @Override
    public void groupNormParameterGradient(
            Tensor x,
            Tensor gamma,
            Tensor beta,
            int groups,
            boolean silu,
            Tensor statistics,
            Tensor dy,
            @Nullable GradientRows gammaTarget,
            @Nullable GradientRows betaTarget) {
        normalization.groupNormBackward(
                x, gamma, beta, groups, silu, statistics, dy, null, false, gammaTarget, betaTarget);
    }

    @Override
    public void groupNormBackward(
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
        normalization.groupNormBackward(
                x, gamma, beta, groups, silu, statistics, dy, dx, accumulate, gammaTarget, betaTarget);
    }

    @Override
    public void layerNormScaleGradient(Tensor x, Tensor statistics, Tensor dy, GradientRows target) {
        layerNorm.layerNormScaleGradient(x, statistics, dy, target);
    }

    @Override
    public void embeddingGradient(Indices indices, int rows, Tensor dy, GradientRows target) {
        scalar.embeddingGradient(indices, rows, dy, target);
    }

    @Override
    public void squaredNorms(Tensor matrix, int from, int length, double[] out) {
        privateGradients.squaredNorms(matrix, from, length, out);
    }

    @Override
    public void accumulateOnGrid(Tensor matrix, int from, int length, float[] scales, long[] sums, int to) {
        privateGradients.accumulateOnGrid(matrix, from, length, scales, sums, to);
    }

    @Override
    public void close() {
        // Holds nothing.
    }
}
