package org.sapwood.tensor.cuda;

import org.sapwood.tensor.Tensor;

/** Launches {@code kernels/elementwise.cu}; the ops and their arguments are those of {@link org.sapwood.tensor.Backend}. */
final class CudaElementwise {
    private static final int THREADS = 256;

    /** Elements of the output per block. */
    private static final int TILE = 8 * THREADS;

    private CudaElementwise() {}

    static void add(CudaStream stream, Tensor a, Tensor b, Tensor y) {
        finish(kernel(stream, "elementwise_add").tensor(a).tensor(b).tensor(y), y);
    }

    static void scale(CudaStream stream, Tensor x, float alpha, Tensor y, boolean accumulate) {
        finish(
                kernel(stream, "elementwise_scale")
                        .tensor(x)
                        .f32(alpha)
                        .tensor(y)
                        .flag(accumulate),
                y);
    }

    static void silu(CudaStream stream, Tensor x, Tensor y) {
        finish(kernel(stream, "elementwise_silu").tensor(x).tensor(y), y);
    }

    static void siluBackward(CudaStream stream, Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        finish(
                kernel(stream, "elementwise_silu_backward")
                        .tensor(x)
                        .tensor(dy)
                        .tensor(dx)
                        .flag(accumulate),
                dx);
    }

    static void relu(CudaStream stream, Tensor x, Tensor y) {
        finish(kernel(stream, "elementwise_relu").tensor(x).tensor(y), y);
    }

    static void reluBackward(CudaStream stream, Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        finish(
                kernel(stream, "elementwise_relu_backward")
                        .tensor(x)
                        .tensor(dy)
                        .tensor(dx)
                        .flag(accumulate),
                dx);
    }

    static void leakyRelu(CudaStream stream, Tensor x, float slope, Tensor y) {
        finish(kernel(stream, "elementwise_leaky_relu").tensor(x).f32(slope).tensor(y), y);
    }

    static void leakyReluBackward(CudaStream stream, Tensor x, float slope, Tensor dy, Tensor dx, boolean accumulate) {
        finish(
                kernel(stream, "elementwise_leaky_relu_backward")
                        .tensor(x)
                        .f32(slope)
                        .tensor(dy)
                        .tensor(dx)
                        .flag(accumulate),
                dx);
    }

    static void tanh(CudaStream stream, Tensor x, Tensor y) {
        finish(kernel(stream, "elementwise_tanh").tensor(x).tensor(y), y);
    }

    static void tanhBackward(CudaStream stream, Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        finish(
                kernel(stream, "elementwise_tanh_backward")
                        .tensor(y)
                        .tensor(dy)
                        .tensor(dx)
                        .flag(accumulate),
                dx);
    }

    static void geglu(CudaStream stream, Tensor x, Tensor y) {
        finish(kernel(stream, "elementwise_geglu").tensor(x).tensor(y).i32(y.dim(-1)), y);
    }

    /** A thread writes both halves of dx for an element of dy. */
    static void gegluBackward(CudaStream stream, Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        finish(
                kernel(stream, "elementwise_geglu_backward")
                        .tensor(x)
                        .tensor(dy)
                        .tensor(dx)
                        .flag(accumulate)
                        .i32(dy.dim(-1)),
                dy);
    }

    static void addPerSample(CudaStream stream, Tensor x, Tensor v, Tensor y) {
        finish(
                kernel(stream, "elementwise_add_per_sample")
                        .tensor(x)
                        .tensor(v)
                        .tensor(y)
                        .i32(y.shape().rowSize())
                        .i32(y.dim(-1)),
                y);
    }

    static void broadcastTokens(CudaStream stream, Tensor dy, float alpha, Tensor dx, boolean accumulate) {
        finish(
                kernel(stream, "elementwise_broadcast_tokens")
                        .tensor(dy)
                        .f32(alpha)
                        .tensor(dx)
                        .flag(accumulate)
                        .i32(dx.shape().rowSize())
                        .i32(dx.dim(-1)),
                dx);
    }

    static void concatChannels(CudaStream stream, Tensor a, Tensor b, Tensor y) {
        finish(
                kernel(stream, "elementwise_concat_channels")
                        .tensor(a)
                        .tensor(b)
                        .tensor(y)
                        .i32(a.dim(-1))
                        .i32(b.dim(-1)),
                y);
    }

    static void sliceChannels(CudaStream stream, Tensor x, int from, Tensor y, boolean accumulate) {
        finish(
                kernel(stream, "elementwise_slice_channels")
                        .tensor(x)
                        .i32(from)
                        .tensor(y)
                        .flag(accumulate)
                        .i32(x.dim(-1))
                        .i32(y.dim(-1)),
                y);
    }

    /** The images' height is of no matter: their rows count on from one image to the next. */
    static void upsample2x(CudaStream stream, Tensor x, int height, int width, Tensor y) {
        finish(
                kernel(stream, "elementwise_upsample2x")
                        .tensor(x)
                        .tensor(y)
                        .i32(width * x.dim(-1))
                        .i32(x.dim(-1)),
                y);
    }

    static void upsample2xBackward(CudaStream stream, Tensor dy, int height, int width, Tensor dx, boolean accumulate) {
        finish(
                kernel(stream, "elementwise_upsample2x_backward")
                        .tensor(dy)
                        .tensor(dx)
                        .flag(accumulate)
                        .i32(width * dx.dim(-1))
                        .i32(dx.dim(-1)),
                dx);
    }

    private static Launch kernel(CudaStream stream, String name) {
        return stream.kernel("elementwise", name);
    }

    /** Adds the last argument, the number of elements of the output, and launches a block for every tile of it. */
    private static void finish(Launch launch, Tensor output) {
        launch.i32(output.size()).blocks(Math.ceilDiv(output.size(), TILE), THREADS);
    }
}
