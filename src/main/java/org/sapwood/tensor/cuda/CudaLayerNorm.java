package org.sapwood.tensor.cuda;

import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/**
 * Launches {@code kernels/layer_norm.cu}; the ops and their arguments are those of {@link org.sapwood.tensor.Backend}.
 */
final class CudaLayerNorm {
    private static final int THREADS = 256;

    /** A warp each. */
    private static final int TOKENS_PER_BLOCK = THREADS / 32;

    private CudaLayerNorm() {}

    static void layerNorm(
            CudaStream stream, Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor statistics, Tensor y) {
        finish(
                kernel(stream, "layer_norm_forward")
                        .tensor(x)
                        .tensor(gamma)
                        .tensor(beta)
                        .f32(epsilon)
                        .tensor(statistics)
                        .tensor(y),
                x);
    }

    static void layerNormBackwardInput(
            CudaStream stream, Tensor x, Tensor gamma, Tensor statistics, Tensor dy, Tensor dx, boolean accumulate) {
        finish(
                kernel(stream, "layer_norm_backward_input")
                        .tensor(x)
                        .tensor(gamma)
                        .tensor(statistics)
                        .tensor(dy)
                        .tensor(dx)
                        .flag(accumulate),
                x);
    }

    static void layerNormScaleGradient(CudaStream stream, Tensor x, Tensor statistics, Tensor dy, GradientRows target) {
        int channels = x.dim(-1);
        boolean own = target.samplesPerRow() == 1;
        long out = own
                ? CudaReduce.firstCoordinate(stream, target)
                : stream.workspace((long) x.dim(0) * channels * Float.BYTES);
        int quads = Math.min(32, CudaReduce.quads(channels));
        int slices = Math.ceilDiv(channels, 4 * quads);
        kernel(stream, "layer_norm_scale_gradient")
                .tensor(x)
                .tensor(statistics)
                .tensor(dy)
                .i32(x.shape().rowSize() / channels)
                .i32(channels)
                .i32(quads)
                .i32(slices)
                .address(out)
                .i64(own ? target.matrix().dim(1) : channels)
                .flag(own && target.accumulate())
                .blocks(Math.multiplyExact(x.dim(0), slices), THREADS);
        if (!own) {
            CudaReduce.sumSamples(stream, out, x.dim(0), channels, target);
        }
    }

    private static Launch kernel(CudaStream stream, String name) {
        return stream.kernel("layer_norm", name);
    }

    /** Adds the last arguments, channels and tokens of all samples, and launches a warp for every token. */
    private static void finish(Launch launch, Tensor x) {
        int tokens = x.size() / x.dim(-1);
        launch.i32(x.dim(-1)).i32(tokens).blocks(Math.ceilDiv(tokens, TOKENS_PER_BLOCK), THREADS);
    }
}
