package org.sapwood.tensor.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Products of row-major matrices by cuBLAS, on one stream. Everything is asynchronous and may be recorded into a CUDA
 * graph. See {@link MatrixProducts} for what is lost beside the project's own kernels.
 *
 * <p>cuBLAS is column-major. A row-major matrix, read column by column, is its transpose; so C = A·B is asked for as
 * Cᵀ = Bᵀ·Aᵀ, with the factors in the other order and no element moved.
 */
final class CublasProducts implements AutoCloseable {
    /**
     * What NVIDIA advises for Hopper, its largest advice. With memory of a handle's own, results do not depend on what
     * other streams do, and a recorded graph allocates nothing.
     */
    static final long WORKSPACE_BYTES = 32L << 20;

    private static final int NOT_TRANSPOSED = 0;
    private static final int TRANSPOSED = 1;

    /** {@code cudaDataType} of float32. */
    private static final int FLOAT32 = 0;
    /** {@code cudaDataType} of bfloat16. */
    private static final int BFLOAT16 = 14;

    /** {@code CUBLAS_COMPUTE_32F}: factors as they are, sums in float32. */
    private static final int COMPUTE_FLOAT32 = 68;
    /** {@code CUBLAS_COMPUTE_32F_FAST_16BF}. */
    private static final int COMPUTE_ROUNDED_TO_BFLOAT16 = 75;
    /** {@code CUBLAS_COMPUTE_32F_FAST_TF32}. */
    private static final int COMPUTE_ROUNDED_TO_TF32 = 77;

    private final CublasLibrary library;
    private final Precision precision;
    private final int compute;
    private final long handle;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment scalars = arena.allocate(2 * Float.BYTES, Float.BYTES);
    private final long alphaAddress = scalars.address();
    private final long betaAddress = alphaAddress + Float.BYTES;

    /**
     * Products on a stream of the device whose context is current on this thread.
     *
     * @param stream the driver's handle
     * @param workspace address of {@link #WORKSPACE_BYTES} bytes that nothing else uses
     * @throws CublasException if cuBLAS does not work on this device
     */
    CublasProducts(CublasLibrary library, Precision precision, long stream, long workspace) {
        this.library = library;
        this.precision = precision;
        compute = switch (precision) {
            case FP32 -> COMPUTE_FLOAT32;
            case TF32 -> COMPUTE_ROUNDED_TO_TF32;
            case BF16 -> COMPUTE_ROUNDED_TO_BFLOAT16;
        };
        handle = library.create();
        // In this order: a new stream makes cuBLAS forget the workspace.
        library.setStream(handle, stream);
        library.setWorkspace(handle, workspace, WORKSPACE_BYTES);
    }

    /**
     * Products on a stream that is being opened, or null if the project's kernels shall compute them.
     *
     * @throws IllegalArgumentException if cuBLAS is asked for and cannot be used
     */
    static @Nullable CublasProducts chosen(CudaStream stream, StreamHandle handle) {
        CublasLibrary library = Providers.chosenCublas(stream.device());
        if (library == null) {
            return null;
        }
        long workspace = stream.allocate((int) (WORKSPACE_BYTES / Float.BYTES)).address();
        return new CublasProducts(library, stream.precision(), handle.address(), workspace);
    }

    /**
     * C = α·op(A)·op(B) + β·C. op(A) is [m, k], op(B) is [k, n], C is [m, n], float32, without gaps; with β = 0 the old
     * C is not read.
     *
     * @param a address of A; {@code b} and {@code c} likewise
     * @param transposeA whether A is stored as [k, m]
     * @param transposeB whether B is stored as [n, k]
     * @throws CublasException if cuBLAS refuses the call
     */
    void product(
            int m,
            int n,
            int k,
            float alpha,
            long a,
            boolean transposeA,
            long b,
            boolean transposeB,
            float beta,
            long c) {
        gemm(m, n, k, alpha, a, transposeA, b, transposeB, beta, c, FLOAT32, compute);
    }

    /** {@link #product} of bfloat16 factors into a float32 C, to measure others by. */
    void productOfBfloat16(
            int m,
            int n,
            int k,
            float alpha,
            long a,
            boolean transposeA,
            long b,
            boolean transposeB,
            float beta,
            long c) {
        gemm(m, n, k, alpha, a, transposeA, b, transposeB, beta, c, BFLOAT16, COMPUTE_FLOAT32);
    }

    private void gemm(
            int m,
            int n,
            int k,
            float alpha,
            long a,
            boolean transposeA,
            long b,
            boolean transposeB,
            float beta,
            long c,
            int typeOfFactors,
            int computeType) {
        if (m == 0 || n == 0) {
            return;
        }
        setScalars(alpha, beta);
        int status = library.gemm(
                handle,
                operation(transposeB),
                operation(transposeA),
                n,
                m,
                k,
                alphaAddress,
                b,
                width(transposeB ? k : n),
                a,
                width(transposeA ? m : k),
                typeOfFactors,
                betaAddress,
                c,
                n,
                FLOAT32,
                computeType);
        if (!CublasLibrary.accepted(status)) {
            throw library.failure(
                    status,
                    "cublasGemmEx",
                    about(m, n, k, transposeA, transposeB) + (typeOfFactors == BFLOAT16 ? ", of bfloat16" : ""));
        }
    }

    /**
     * {@code batch} products of equal sizes, as {@link #product}. Matrices of one kind lie a stride of elements apart; a
     * stride of 0 uses one factor for all.
     *
     * @throws CublasException if cuBLAS refuses the call
     */
    void products(
            int batch,
            int m,
            int n,
            int k,
            float alpha,
            long a,
            boolean transposeA,
            long strideA,
            long b,
            boolean transposeB,
            long strideB,
            float beta,
            long c,
            long strideC) {
        if (batch == 0 || m == 0 || n == 0) {
            return;
        }
        setScalars(alpha, beta);
        int status = library.gemmStridedBatched(
                handle,
                operation(transposeB),
                operation(transposeA),
                n,
                m,
                k,
                alphaAddress,
                b,
                width(transposeB ? k : n),
                strideB,
                a,
                width(transposeA ? m : k),
                strideA,
                FLOAT32,
                betaAddress,
                c,
                n,
                strideC,
                FLOAT32,
                batch,
                compute);
        if (!CublasLibrary.accepted(status)) {
            throw library.failure(
                    status,
                    "cublasGemmStridedBatchedEx",
                    about(m, n, k, transposeA, transposeB) + ", batch " + batch + ", strides " + strideA + ", "
                            + strideB + ", " + strideC);
        }
    }

    /** cuBLAS reads them before a call returns. */
    private void setScalars(float alpha, float beta) {
        scalars.set(ValueLayout.JAVA_FLOAT, 0, alpha);
        scalars.set(ValueLayout.JAVA_FLOAT, Float.BYTES, beta);
    }

    private static int operation(boolean transpose) {
        return transpose ? TRANSPOSED : NOT_TRANSPOSED;
    }

    /** A leading dimension, which must not be 0 even where the matrix is empty. */
    private static int width(int columns) {
        return Math.max(1, columns);
    }

    private String about(int m, int n, int k, boolean transposeA, boolean transposeB) {
        return "row-major [" + m + ", " + k + "]" + (transposeA ? " stored transposed" : "") + " times [" + k + ", " + n
                + "]" + (transposeB ? " stored transposed" : "") + ", " + precision.suffix();
    }

    @Override
    public void close() {
        library.destroy(handle);
        arena.close();
    }
}
