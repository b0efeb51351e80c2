package org.sapwood.tensor.scalar;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.HeapStorage;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/** Plain loops over Java arrays; each family of ops is a class of its own, called {@code Scalar…}. */
public final class ScalarBackend implements Backend {
    @Override
    public String name() {
        return "scalar";
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
        ScalarBlas.matmul(a, transposeA, b, transposeB, alpha, c, accumulate);
    }

    @Override
    public void linear(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor y) {
        ScalarBlas.linear(x, weight, bias, y);
    }

    @Override
    public void linearBackwardInput(Tensor dy, Tensor weight, Tensor dx, boolean accumulate) {
        ScalarBlas.linearBackwardInput(dy, weight, dx, accumulate);
    }

    @Override
    public void lora(Tensor x, Tensor a, Tensor b, float scale, Tensor xa, Tensor y) {
        ScalarLora.lora(x, a, b, scale, xa, y);
    }

    @Override
    public void loraBackwardInput(Tensor dy, Tensor a, Tensor b, float scale, Tensor dyb, @Nullable Tensor dx) {
        ScalarLora.loraBackwardInput(dy, a, b, scale, dyb, dx);
    }

    @Override
    public void conv2d(Tensor x, Tensor weight, @Nullable Tensor bias, ConvGeometry geometry, Tensor y) {
        ScalarConvolution.conv2d(x, weight, bias, geometry, y);
    }

    @Override
    public void conv2dBackwardInput(Tensor dy, Tensor weight, ConvGeometry geometry, Tensor dx, boolean accumulate) {
        ScalarConvolution.conv2dBackwardInput(dy, weight, geometry, dx, accumulate);
    }

    @Override
    public void upsample2x(Tensor x, int height, int width, Tensor y) {
        ScalarConvolution.upsample2x(x, height, width, y);
    }

    @Override
    public void upsample2xBackward(Tensor dy, int height, int width, Tensor dx, boolean accumulate) {
        ScalarConvolution.upsample2xBackward(dy, height, width, dx, accumulate);
    }

    @Override
    public void groupNorm(
            Tensor x, Tensor gamma, Tensor beta, int groups, float epsilon, boolean silu, Tensor statistics, Tensor y) {
        ScalarNormalization.groupNorm(x, gamma, beta, groups, epsilon, silu, statistics, y);
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
        ScalarNormalization.groupNormBackwardInput(x, gamma, beta, groups, silu, statistics, dy, dx, accumulate);
    }

    @Override
    public void layerNorm(Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor statistics, Tensor y) {
        ScalarLayerNorm.layerNorm(x, gamma, beta, epsilon, statistics, y);
    }

    @Override
    public void layerNormBackwardInput(
            Tensor x, Tensor gamma, Tensor statistics, Tensor dy, Tensor dx, boolean accumulate) {
        ScalarLayerNorm.layerNormBackwardInput(x, gamma, statistics, dy, dx, accumulate);
    }

    @Override
    public void attention(Tensor q, Tensor k, Tensor v, int heads, Tensor logSumExp, Tensor y) {
        ScalarAttention.attention(q, k, v, heads, logSumExp, y);
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
        ScalarAttention.attentionBackward(
                q, k, v, heads, logSumExp, y, dy, dq, accumulateQ, dk, accumulateK, dv, accumulateV);
    }

    @Override
    public void add(Tensor a, Tensor b, Tensor y) {
        ScalarElementwise.add(a, b, y);
    }

    @Override
    public void scale(Tensor x, float alpha, Tensor y, boolean accumulate) {
        ScalarElementwise.scale(x, alpha, y, accumulate);
    }

    @Override
    public void silu(Tensor x, Tensor y) {
        ScalarElementwise.silu(x, y);
    }

    @Override
    public void siluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        ScalarElementwise.siluBackward(x, dy, dx, accumulate);
    }

    @Override
    public void relu(Tensor x, Tensor y) {
        ScalarElementwise.relu(x, y);
    }

    @Override
    public void reluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        ScalarElementwise.reluBackward(x, dy, dx, accumulate);
    }

    @Override
    public void leakyRelu(Tensor x, float slope, Tensor y) {
        ScalarElementwise.leakyRelu(x, slope, y);
    }

    @Override
    public void leakyReluBackward(Tensor x, float slope, Tensor dy, Tensor dx, boolean accumulate) {
        ScalarElementwise.leakyReluBackward(x, slope, dy, dx, accumulate);
    }

    @Override
    public void tanh(Tensor x, Tensor y) {
        ScalarElementwise.tanh(x, y);
    }

    @Override
    public void tanhBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        ScalarElementwise.tanhBackward(y, dy, dx, accumulate);
    }

    @Override
    public void geglu(Tensor x, Tensor y) {
        ScalarElementwise.geglu(x, y);
    }

    @Override
    public void gegluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        ScalarElementwise.gegluBackward(x, dy, dx, accumulate);
    }

    @Override
    public void addPerSample(Tensor x, Tensor v, Tensor y) {
        ScalarElementwise.addPerSample(x, v, y);
    }

    @Override
    public void sumTokens(Tensor x, float alpha, Tensor y, boolean accumulate) {
        ScalarElementwise.sumTokens(x, alpha, y, accumulate);
    }

    @Override
    public void broadcastTokens(Tensor dy, float alpha, Tensor dx, boolean accumulate) {
        ScalarElementwise.broadcastTokens(dy, alpha, dx, accumulate);
    }

    @Override
    public void concatChannels(Tensor a, Tensor b, Tensor y) {
        ScalarElementwise.concatChannels(a, b, y);
    }

    @Override
    public void sliceChannels(Tensor x, int from, Tensor y, boolean accumulate) {
        ScalarElementwise.sliceChannels(x, from, y, accumulate);
    }

    @Override
    public void embedding(Tensor table, Indices indices, Tensor y) {
        ScalarEmbedding.embedding(table, indices, y);
    }

    @Override
    public void meanSquaredError(
            Tensor prediction, Tensor target, float gradientScale, Tensor loss, Tensor dPrediction) {
        ScalarLoss.meanSquaredError(prediction, target, gradientScale, loss, dPrediction);
    }

    @Override
    public void crossEntropy(Tensor logits, Indices labels, float gradientScale, Tensor loss, Tensor dLogits) {
        ScalarLoss.crossEntropy(logits, labels, gradientScale, loss, dLogits);
    }

    @Override
    public void gaussianSample(Tensor moments, Tensor noise, Tensor z) {
        ScalarGaussian.gaussianSample(moments, noise, z);
    }

    @Override
    public void gaussianSampleBackward(Tensor moments, Tensor noise, Tensor dz, Tensor dMoments, boolean accumulate) {
        ScalarGaussian.gaussianSampleBackward(moments, noise, dz, dMoments, accumulate);
    }

    @Override
    public void gaussianDivergence(Tensor moments, float gradientScale, Tensor divergence, Tensor dMoments) {
        ScalarGaussian.gaussianDivergence(moments, gradientScale, divergence, dMoments);
    }

    @Override
    public void weightGradient(Tensor x, Tensor dy, float alpha, GradientRows target) {
        ScalarPrivateGradients.weightGradient(x, dy, alpha, target);
    }

    @Override
    public void convWeightGradient(Tensor x, Tensor dy, ConvGeometry geometry, GradientRows target) {
        ScalarConvolution.convWeightGradient(x, dy, geometry, target);
    }

    @Override
    public void biasGradient(Tensor dy, GradientRows target) {
        ScalarPrivateGradients.biasGradient(dy, target);
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
        ScalarNormalization.groupNormParameterGradient(
                x, gamma, beta, groups, silu, statistics, dy, gammaTarget, betaTarget);
    }

    @Override
    public void layerNormScaleGradient(Tensor x, Tensor statistics, Tensor dy, GradientRows target) {
        ScalarLayerNorm.layerNormScaleGradient(x, statistics, dy, target);
    }

    @Override
    public void embeddingGradient(Indices indices, int rows, Tensor dy, GradientRows target) {
        ScalarEmbedding.embeddingGradient(indices, rows, dy, target);
    }

    @Override
    public void squaredNorms(Tensor matrix, int from, int length, double[] out) {
        ScalarPrivateGradients.squaredNorms(matrix, from, length, out);
    }

    @Override
    public void accumulateOnGrid(Tensor matrix, int from, int length, float[] scales, long[] sums, int to) {
        ScalarPrivateGradients.accumulateOnGrid(matrix, from, length, scales, sums, to);
    }

    @Override
    public void close() {
        // Holds nothing.
    }
}
