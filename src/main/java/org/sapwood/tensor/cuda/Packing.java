package org.sapwood.tensor.cuda;

import java.util.ArrayList;
import java.util.List;
import org.sapwood.tensor.Tensor;

/**
 * The factors of one product in the form that its kernel reads ({@code kernels/pack.cu}): 16-byte aligned, the innermost
 * extent a multiple of a vector of 16 bytes, in float32 or bfloat16. A tensor that has this form already is used as it
 * stands; of others a copy is made in the stream's workspace.
 *
 * <p>All factors are named first, then {@link #run} makes the copies; only then do addresses hold, until the workspace is
 * used again.
 */
final class Packing {
    private static final int VECTOR_BYTES = 16;
    private static final int THREADS = 256;

    /** Copies of one launch. */
    private static final int COPIES = 3;

    /** Of each part of the workspace. */
    private static final long ALIGNMENT = 256;

    private final CudaStream stream;
    private final boolean bfloat16;
    private final List<Factor> factors = new ArrayList<>();
    private long bytes;
    private long workspace;

    private Packing(CudaStream stream, boolean bfloat16) {
        this.stream = stream;
        this.bfloat16 = bfloat16;
    }

    /** Factors in float32. */
    static Packing floats(CudaStream stream) {
        return new Packing(stream, false);
    }

    /** Factors in float32, or in bfloat16 if that is the stream's precision. */
    static Packing rounded(CudaStream stream) {
        return new Packing(stream, stream.precision() == Precision.BF16);
    }

    /** Bytes of an element of a factor. */
    int elementBytes() {
        return bfloat16 ? Short.BYTES : Float.BYTES;
    }

    /** The least multiple of a vector's elements that is not less than {@code extent}. */
    int padded(int extent) {
        int vector = VECTOR_BYTES / elementBytes();
        return Math.ceilDiv(extent, vector) * vector;
    }

    /** A matrix, its rows padded. */
    Factor matrix(Tensor tensor, int rows, int columns) {
        return add(new Factor(tensor, 1, rows, columns, false, rows, padded(columns)));
    }

    /** The transpose of a matrix, its rows padded. */
    Factor transposed(Tensor tensor, int rows, int columns) {
        return add(new Factor(tensor, 1, rows, columns, true, columns, padded(rows)));
    }

    /** Several matrices one after the other, their rows padded, and as many rows as if they were columns. */
    Factor stack(Tensor tensor, int matrices, int rows, int columns) {
        return add(new Factor(tensor, matrices, rows, columns, false, padded(rows), padded(columns)));
    }

    /** The transposes of several matrices, likewise. */
    Factor transposedStack(Tensor tensor, int matrices, int rows, int columns) {
        return add(new Factor(tensor, matrices, rows, columns, true, padded(columns), padded(rows)));
    }

    private Factor add(Factor factor) {
        if (!factor.isReady()) {
            factor.offset = reserve((long) factor.matrices * factor.toRows * factor.stride * elementBytes());
            factors.add(factor);
        }
        return factor;
    }

    /** Room in the workspace; its place is {@link #address(long)} of the result. */
    long reserve(long size) {
        long offset = bytes;
        bytes += Math.ceilDiv(size, ALIGNMENT) * ALIGNMENT;
        return offset;
    }

    /** Where a reserved part of the workspace begins. */
    long address(long offset) {
        return workspace + offset;
    }

    /** Takes the workspace and makes the copies. */
    void run() {
        if (bytes > 0) {
            workspace = stream.workspace(bytes);
        }
        for (int first = 0; first < factors.size(); first += COPIES) {
            copy(factors.subList(first, Math.min(first + COPIES, factors.size())));
        }
    }

    private void copy(List<Factor> some) {
        Launch launch = stream.kernel("pack", bfloat16 ? "pack_bf16" : "pack_fp32");
        int blocks = 0;
        for (int i = 0; i < COPIES; i++) {
            // A launch of fewer copies names the last one again, without blocks.
            Factor factor = some.get(Math.min(i, some.size() - 1));
            int own = i < some.size() ? factor.blocks() : 0;
            factor.describe(launch).i32(own);
            blocks = Math.addExact(blocks, own);
        }
        launch.blocks(blocks, THREADS);
    }

    /** One factor. */
    final class Factor {
        private final Tensor tensor;
        private final int matrices;
        private final int rows;
        private final int columns;
        private final boolean transposed;
        private final int toRows;
        private final int stride;
        private long offset = -1;

        private Factor(Tensor tensor, int matrices, int rows, int columns, boolean transposed, int toRows, int stride) {
            this.tensor = tensor;
            this.matrices = matrices;
            this.rows = rows;
            this.columns = columns;
            this.transposed = transposed;
            this.toRows = toRows;
            this.stride = stride;
        }

        /** Elements from one row to the next: the padded innermost extent. */
        int stride() {
            return stride;
        }

        long address() {
            return offset < 0 ? stream.address(tensor) : workspace + offset;
        }

        private boolean isReady() {
            return !bfloat16
                    && !transposed
                    && toRows == rows
                    && stride == columns
                    && stream.address(tensor) % VECTOR_BYTES == 0;
        }

        /** Of the launch that copies it. */
        private int blocks() {
            long size = (long) matrices * toRows * stride * elementBytes();
            return Math.toIntExact(Math.ceilDiv(size, (long) VECTOR_BYTES * THREADS));
        }

        /** Passes what the copy needs but for its blocks. */
        private Launch describe(Launch launch) {
            return launch.tensor(tensor)
                    .i32(matrices)
                    .i32(rows)
                    .i32(columns)
                    .flag(transposed)
                    .address(address())
                    .i32(toRows)
                    .i32(stride);
        }
    }
}
