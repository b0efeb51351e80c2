package org.sapwood.tensor.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ClipPlan;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.DeviceTraining;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/**
 * Hand-written kernels on one CUDA stream; each family of ops is a class of its own, called {@code Cuda…}, that launches
 * the kernels of the file of that name.
 */
public final class CudaBackend implements Backend {
    private final CudaStream stream;
    private @Nullable DeviceStorage normSums;

    private CudaBackend(CudaStream stream) {
        this.stream = stream;
    }

    /** A backend for one worker thread, in the precision that {@code sapwood.cuda.precision} asks for. */
    public static Backend open() {
        return new CudaBackend(new CudaStream(CudaDriver.device(), Precision.chosen()));
    }

    /** Why this backend cannot run here, or null if it can. */
    public static @Nullable String unavailable() {
        return CudaDriver.unavailable();
    }

    /** Why nobody should get this backend without asking for it, or null if it is as fast as it should be. */
    public static @Nullable String unwise() {
        return CudaDriver.device().isEmulated()
                ? "the device is emulated on the processor, for tests; ask for it by name"
                : null;
    }

    /** Device, driver, memory, and where matrix products and convolutions come from. */
    public static List<String> details() {
        CudaDevice device = CudaDriver.device();
        long[] memory = device.memory();
        List<String> lines = new ArrayList<>();
        lines.add(device.name() + ", compute capability " + device.computeCapability() / 10.0 + ", "
                + device.multiprocessors() + " multiprocessors, driver for CUDA " + device.driverVersion());
        lines.add((memory[0] >> 20) + " of " + (memory[1] >> 20) + " MiB of device memory free");
        Providers.list().forEach(provider -> lines.add(provider.toString()));
        return lines;
    }

    /** What runs here, such as {@code "NVIDIA H200, compute capability 9.0, fp32"}. */
    public static String describe() {
        CudaDevice device = CudaDriver.device();
        return device.name() + ", compute capability " + device.computeCapability() / 10.0 + ", "
                + Precision.chosen().suffix();
    }

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public boolean isDevice() {
        return true;
    }

    @Override
    public void synchronize() {
        stream.synchronize();
    }

    @Override
    public double seconds(Runnable calls) {
        return stream.seconds(calls);
    }

    @Override
    public long freeMemory() {
        return stream.device().memory()[0];
    }

    @Override
    public Tensor allocate(Shape shape) {
        DeviceStorage storage = stream.allocate(shape.size());
        stream.fill(storage.address(), 0, (long) shape.size() * Float.BYTES);
        return new Tensor(shape, storage, 0);
    }

    @Override
    public void upload(float[] source, int from, Tensor target) {
        stream.staging().upload(source, from, target.size(), stream.address(target));
    }

    @Override
    public void download(Tensor source, float[] target, int to) {
        stream.staging().download(stream.address(source), source.size(), target, to);
    }

    @Override
    public void fill(Tensor y, float value) {
        stream.fill(stream.address(y), Float.floatToRawIntBits(value), (long) y.size() * Float.BYTES);
    }

    @Override
    public void matmul(
            Tensor a, boolean transposeA, Tensor b, boolean transposeB, float alpha, Tensor c, boolean accumulate) {
        CudaBlas.matmul(stream, a, transposeA, b, transposeB, alpha, c, accumulate);
    }

    @Override
    public void linear(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor y) {
        CudaBlas.linear(stream, x, weight, bias, y);
    }

    @Override
    public void linearBackwardInput(Tensor dy, Tensor weight, Tensor dx, boolean accumulate) {
        CudaBlas.linearBackwardInput(stream, dy, weight, dx, accumulate);
    }

    @Override
    public void lora(Tensor x, Tensor a, Tensor b, float scale, Tensor xa, Tensor y) {
        CudaLora.lora(stream, x, a, b, scale, xa, y);
    }

    @Override
    public void loraBackwardInput(Tensor dy, Tensor a, Tensor b, float scale, Tensor dyb, @Nullable Tensor dx) {
        CudaLora.loraBackwardInput(stream, dy, a, b, scale, dyb, dx);
    }

    @Override
    public void conv2d(Tensor x, Tensor weight, @Nullable Tensor bias, ConvGeometry geometry, Tensor y) {
        CudaConvolution.conv2d(stream, x, weight, bias, geometry, y);
    }

    @Override
    public void conv2dBackwardInput(Tensor dy, Tensor weight, ConvGeometry geometry, Tensor dx, boolean accumulate) {
        CudaConvolution.conv2dBackwardInput(stream, dy, weight, geometry, dx, accumulate);
    }

    @Override
    public void upsample2x(Tensor x, int height, int width, Tensor y) {
        CudaElementwise.upsample2x(stream, x, height, width, y);
    }

    @Override
    public void upsample2xBackward(Tensor dy, int height, int width, Tensor dx, boolean accumulate) {
        CudaElementwise.upsample2xBackward(stream, dy, height, width, dx, accumulate);
    }

    @Override
    public void groupNorm(
            Tensor x, Tensor gamma, Tensor beta, int groups, float epsilon, boolean silu, Tensor statistics, Tensor y) {
        CudaNormalization.groupNorm(stream, x, gamma, beta, groups, epsilon, silu, statistics, y);
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
        CudaNormalization.groupNormBackwardInput(stream, x, gamma, beta, groups, silu, statistics, dy, dx, accumulate);
    }

    @Override
    public void layerNorm(Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor statistics, Tensor y) {
        CudaLayerNorm.layerNorm(stream, x, gamma, beta, epsilon, statistics, y);
    }

    @Override
    public void layerNormBackwardInput(
            Tensor x, Tensor gamma, Tensor statistics, Tensor dy, Tensor dx, boolean accumulate) {
        CudaLayerNorm.layerNormBackwardInput(stream, x, gamma, statistics, dy, dx, accumulate);
    }

    @Override
    public void attention(Tensor q, Tensor k, Tensor v, int heads, Tensor logSumExp, Tensor y) {
        CudaAttention.attention(stream, q, k, v, heads, logSumExp, y);
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
        CudaAttention.attentionBackward(
                stream, q, k, v, heads, logSumExp, y, dy, dq, accumulateQ, dk, accumulateK, dv, accumulateV);
    }

    @Override
    public void add(Tensor a, Tensor b, Tensor y) {
        CudaElementwise.add(stream, a, b, y);
    }

    @Override
    public void scale(Tensor x, float alpha, Tensor y, boolean accumulate) {
        CudaElementwise.scale(stream, x, alpha, y, accumulate);
    }

    @Override
    public void silu(Tensor x, Tensor y) {
        CudaElementwise.silu(stream, x, y);
    }

    @Override
    public void siluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        CudaElementwise.siluBackward(stream, x, dy, dx, accumulate);
    }

    @Override
    public void relu(Tensor x, Tensor y) {
        CudaElementwise.relu(stream, x, y);
    }

    @Override
    public void reluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        CudaElementwise.reluBackward(stream, x, dy, dx, accumulate);
    }

    @Override
    public void leakyRelu(Tensor x, float slope, Tensor y) {
        CudaElementwise.leakyRelu(stream, x, slope, y);
    }

    @Override
    public void leakyReluBackward(Tensor x, float slope, Tensor dy, Tensor dx, boolean accumulate) {
        CudaElementwise.leakyReluBackward(stream, x, slope, dy, dx, accumulate);
    }

    @Override
    public void tanh(Tensor x, Tensor y) {
        CudaElementwise.tanh(stream, x, y);
    }

    @Override
    public void tanhBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        CudaElementwise.tanhBackward(stream, y, dy, dx, accumulate);
    }

    @Override
    public void geglu(Tensor x, Tensor y) {
        CudaElementwise.geglu(stream, x, y);
    }

    @Override
    public void gegluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        CudaElementwise.gegluBackward(stream, x, dy, dx, accumulate);
    }

    @Override
    public void addPerSample(Tensor x, Tensor v, Tensor y) {
        CudaElementwise.addPerSample(stream, x, v, y);
    }

    @Override
    public void sumTokens(Tensor x, float alpha, Tensor y, boolean accumulate) {
        CudaReduce.sumTokens(stream, x, alpha, y, accumulate);
    }

    @Override
    public void broadcastTokens(Tensor dy, float alpha, Tensor dx, boolean accumulate) {
        CudaElementwise.broadcastTokens(stream, dy, alpha, dx, accumulate);
    }

    @Override
    public void concatChannels(Tensor a, Tensor b, Tensor y) {
        CudaElementwise.concatChannels(stream, a, b, y);
    }

    @Override
    public void sliceChannels(Tensor x, int from, Tensor y, boolean accumulate) {
        CudaElementwise.sliceChannels(stream, x, from, y, accumulate);
    }

    @Override
    public void embedding(Tensor table, Indices indices, Tensor y) {
        CudaEmbedding.embedding(stream, table, indices, y);
    }

    @Override
    public void meanSquaredError(
            Tensor prediction, Tensor target, float gradientScale, Tensor loss, Tensor dPrediction) {
        CudaLoss.meanSquaredError(stream, prediction, target, gradientScale, loss, dPrediction);
    }

    @Override
    public void crossEntropy(Tensor logits, Indices labels, float gradientScale, Tensor loss, Tensor dLogits) {
        CudaLoss.crossEntropy(stream, logits, labels, gradientScale, loss, dLogits);
    }

    @Override
    public void gaussianSample(Tensor moments, Tensor noise, Tensor z) {
        CudaGaussian.gaussianSample(stream, moments, noise, z);
    }

    @Override
    public void gaussianSampleBackward(Tensor moments, Tensor noise, Tensor dz, Tensor dMoments, boolean accumulate) {
        CudaGaussian.gaussianSampleBackward(stream, moments, noise, dz, dMoments, accumulate);
    }

    @Override
    public void gaussianDivergence(Tensor moments, float gradientScale, Tensor divergence, Tensor dMoments) {
        CudaGaussian.gaussianDivergence(stream, moments, gradientScale, divergence, dMoments);
    }

    @Override
    public void weightGradient(Tensor x, Tensor dy, float alpha, GradientRows target) {
        CudaBlas.weightGradient(stream, x, dy, alpha, target);
    }

    @Override
    public void convWeightGradient(Tensor x, Tensor dy, ConvGeometry geometry, GradientRows target) {
        CudaConvolution.convWeightGradient(stream, x, dy, geometry, target);
    }

    @Override
    public void conv2dBackward(
            Tensor x,
            Tensor dy,
            Tensor weight,
            ConvGeometry geometry,
            Tensor dx,
            boolean accumulate,
            GradientRows target) {
        CudaConvolution.conv2dBackward(stream, x, dy, weight, geometry, dx, accumulate, target);
    }

    @Override
    public void biasGradient(Tensor dy, GradientRows target) {
        CudaReduce.biasGradient(stream, dy, target);
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
        CudaNormalization.groupNormParameterGradient(
                stream, x, gamma, beta, groups, silu, statistics, dy, gammaTarget, betaTarget);
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
        CudaNormalization.groupNormBackward(
                stream, x, gamma, beta, groups, silu, statistics, dy, dx, accumulate, gammaTarget, betaTarget);
    }

    @Override
    public void layerNormScaleGradient(Tensor x, Tensor statistics, Tensor dy, GradientRows target) {
        CudaLayerNorm.layerNormScaleGradient(stream, x, statistics, dy, target);
    }

    @Override
    public void embeddingGradient(Indices indices, int rows, Tensor dy, GradientRows target) {
        CudaEmbedding.embeddingGradient(stream, indices, rows, dy, target);
    }

    @Override
    public void squaredNorms(Tensor matrix, int from, int length, double[] out) {
        CudaPrivateGradients.squaredNorms(stream, matrix, from, length, out);
    }

    @Override
    public void accumulateOnGrid(Tensor matrix, int from, int length, float[] scales, long[] sums, int to) {
        CudaPrivateGradients.accumulateOnGrid(stream, matrix, from, length, scales, sums, to);
    }

    @Override
    public void weightGradientNorms(
            Tensor x, Tensor dy, float alpha, int samplesPerRow, Tensor norms, int column, @Nullable Tensor scratch) {
        MatrixProducts.requireOwn("a private query");
        norms(norms, column, sums -> CudaPerSampleNorm.linear(stream, x, dy, alpha, samplesPerRow, sums));
    }

    @Override
    public void convWeightGradientNorms(
            Tensor x,
            Tensor dy,
            ConvGeometry geometry,
            int samplesPerRow,
            Tensor norms,
            int column,
            @Nullable Tensor scratch) {
        MatrixProducts.requireOwn("a private query");
        norms(norms, column, sums -> CudaPerSampleNorm.convolution(stream, x, dy, geometry, samplesPerRow, sums));
    }

    /** Has norms added up in fp64, one per row, and stores them in a column. */
    private void norms(Tensor norms, int column, LongConsumer kernel) {
        int rows = norms.dim(0);
        DeviceStorage sums = normSums;
        if (sums == null || sums.size() < 2 * rows) {
            // An earlier, smaller one stays alive with the stream: recordings may point to it.
            sums = stream.allocate(2 * rows);
            normSums = sums;
        }
        stream.fill(sums.address(), 0, (long) rows * Double.BYTES);
        kernel.accept(sums.address());
        CudaPerSampleNorm.store(stream, sums.address(), norms, column);
    }

    @Override
    public Runnable record(Runnable calls) {
        return stream.record(calls);
    }

    @Override
    public DeviceTraining train(List<Tensor> weights, @Nullable ClipPlan plan) {
        if (plan != null) {
            MatrixProducts.requireOwn("private training");
        }
        return new CudaTraining(stream, weights, plan);
    }

    @Override
    public void close() {
        stream.close();
    }
}
