package org.sapwood.tensor.cuda;

import org.sapwood.tensor.Tensor;

/**
 * Norms and exact sums for a host that keeps them: launches {@code kernels/clip_accumulate.cu}. They pass through the
 * host here; training on the device goes by {@link CudaTraining}, whose bits are the same.
 */
final class CudaPrivateGradients {
    private static final int THREADS = 256;

    private CudaPrivateGradients() {}

    static void squaredNorms(CudaStream stream, Tensor matrix, int from, int length, double[] out) {
        int rows = matrix.dim(0);
        if (rows == 0) {
            return;
        }
        int chunks = Math.ceilDiv(length, CudaClipping.CHUNK);
        long norms = stream.workspace((1L + chunks) * rows * Double.BYTES);
        long partials = norms + (long) rows * Double.BYTES;
        stream.kernel("clip_accumulate", "clip_accumulate_squares")
                .address(stream.address(matrix) + (long) from * Float.BYTES)
                .i64(matrix.shape().rowSize())
                .i32(length)
                .i32(CudaClipping.CHUNK)
                .i32(chunks)
                .address(partials)
                .blocks(Math.multiplyExact(rows, chunks), THREADS);
        stream.kernel("clip_accumulate", "clip_accumulate_totals")
                .address(partials)
                .i32(chunks)
                .address(norms)
                .blocks(rows, 32);
        stream.staging().download(norms, rows, out);
    }

    static void accumulateOnGrid(
            CudaStream stream, Tensor matrix, int from, int length, float[] scales, long[] sums, int to) {
        if (length == 0) {
            return;
        }
        long onDevice = stream.workspace((long) length * Long.BYTES);
        stream.staging().upload(sums, to, length, onDevice);
        for (int row = 0; row < matrix.dim(0); row++) {
            if (scales[row] != 0) {
                long start = (long) row * matrix.shape().rowSize() + from;
                stream.kernel("clip_accumulate", "clip_accumulate_row")
                        .address(stream.address(matrix) + start * Float.BYTES)
                        .i32(length)
                        .f64(scales[row])
                        .address(onDevice)
                        .overItems(length, THREADS);
            }
        }
        stream.staging().download(onDevice, length, sums, to);
    }
}
