package org.sapwood.tensor.cuda;

import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/** Sums over tokens and over samples: launches {@code kernels/reduce.cu}. */
final class CudaReduce {
    private static final int THREADS = 256;

    private CudaReduce() {}

    /** y[b, c] = α·Σ_t x[b, t, c], or +=. */
    static void sumTokens(CudaStream stream, Tensor x, float alpha, Tensor y, boolean accumulate) {
        sumTokens(stream, x, alpha, stream.address(y), x.dim(-1), accumulate);
    }

    /** Gradient of a bias, Σ_t dy[b, t]. */
    static void biasGradient(CudaStream stream, Tensor dy, GradientRows target) {
        int channels = dy.dim(-1);
        if (target.samplesPerRow() == 1) {
            sumTokens(
                    stream,
                    dy,
                    1,
                    firstCoordinate(stream, target),
                    target.matrix().dim(1),
                    target.accumulate());
        } else {
            long gradients = stream.workspace((long) dy.dim(0) * channels * Float.BYTES);
            sumTokens(stream, dy, 1, gradients, channels, false);
            sumSamples(stream, gradients, dy.dim(0), channels, target);
        }
    }

    /** The device address of the first coordinate in the first row. */
    static long firstCoordinate(CudaStream stream, GradientRows rows) {
        return stream.address(rows.matrix()) + (long) rows.column() * Float.BYTES;
    }

    private static void sumTokens(CudaStream stream, Tensor x, float alpha, long out, long stride, boolean accumulate) {
        int channels = x.dim(-1);
        int quads = Math.min(32, quads(channels));
        int slices = Math.ceilDiv(channels, 4 * quads);
        stream.kernel("reduce", "reduce_tokens")
                .tensor(x)
                .i32(x.shape().rowSize() / channels)
                .i32(channels)
                .i32(quads)
                .i32(slices)
                .f32(alpha)
                .address(out)
                .i64(stride)
                .flag(accumulate)
                .blocks(Math.multiplyExact(x.dim(0), slices), THREADS);
    }

    /** Quads of four channels that hold {@code channels}, rounded up to a power of two. */
    static int quads(int channels) {
        int quads = Math.ceilDiv(channels, 4);
        return quads <= 1 ? 1 : Integer.highestOneBit(quads - 1) * 2;
    }

    /**
     * Adds the finished gradients of single samples, [samples, width] at a device address, to their rows: in ascending
     * order up to {@link GradientRows#ORDERED_SAMPLES} per row, in another fixed order beyond.
     */
    static void sumSamples(CudaStream stream, long gradients, int samples, int width, GradientRows target) {
        int rows = Math.ceilDiv(samples, target.samplesPerRow());
        boolean inOrder = target.samplesPerRow() <= GradientRows.ORDERED_SAMPLES;
        Launch launch = stream.kernel("reduce", inOrder ? "reduce_samples_in_order" : "reduce_samples")
                .address(gradients)
                .i32(samples)
                .i32(width)
                .rows(target);
        if (inOrder) {
            launch.overItems((long) rows * width, THREADS);
        } else {
            launch.blocks(Math.multiplyExact(rows, Math.ceilDiv(width, 32)), 1024);
        }
    }
}
