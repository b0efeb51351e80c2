package org.sapwood.tensor.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The few functions of cuBLAS that are used, bound through the JDK's foreign-function API; their signatures are the same
 * in versions 12 and 13. Pointers are plain numbers: most are the device's. Everything is column-major here, as in
 * cuBLAS; {@link CublasProducts} turns that around. Thread-safe.
 */
final class CublasLibrary {
    private static final int SUCCESS = 0;

    /** 10,000 · major + 100 · minor + patch; earlier libraries count otherwise, and were never tried. */
    private static final int OLDEST_VERSION = 120000;

    /** {@code CUBLAS_GEMM_DEFAULT}: the library chooses. */
    private static final int DEFAULT_ALGORITHM = -1;

    private final String file;
    private final int version;
    private final MethodHandle create;
    private final MethodHandle destroy;
    private final MethodHandle setStream;
    private final MethodHandle setWorkspace;
    private final MethodHandle gemm;
    private final MethodHandle gemmStridedBatched;
    private final MethodHandle statusName;

    private CublasLibrary(SharedLibrary library) {
        file = library.file("cublasCreate_v2");
        statusName = library.function("cublasGetStatusName", FunctionDescriptor.of(JAVA_LONG, JAVA_INT));
        create = library.function("cublasCreate_v2", call("p"));
        destroy = library.function("cublasDestroy_v2", call("p"));
        setStream = library.function("cublasSetStream_v2", call("pp"));
        setWorkspace = library.function("cublasSetWorkspace_v2", call("ppp"));
        // Handle; op(A), op(B); m, n, k; α; A, its type, its leading dimension (and stride); B; β; C; (batch;) compute
        // type, algorithm.
        gemm = library.function("cublasGemmEx", call("p ii iii p pii pii p pii ii"));
        gemmStridedBatched = library.function("cublasGemmStridedBatchedEx", call("p ii iii p piip piip p piip i ii"));
        version = version(library.function("cublasGetVersion_v2", call("pp")));
    }

    /** A function that returns a status: {@code p} for a pointer or another number of 64 bits, {@code i} for an int. */
    private static FunctionDescriptor call(String arguments) {
        return FunctionDescriptor.of(
                JAVA_INT,
                arguments
                        .chars()
                        .filter(c -> c != ' ')
                        .mapToObj(c -> c == 'p' ? JAVA_LONG : JAVA_INT)
                        .toArray(MemoryLayout[]::new));
    }

    /**
     * Opens the library; needs no device.
     *
     * @param name a path, or a file name to be looked for where the system keeps libraries
     * @throws IllegalArgumentException if that fails or this is no cuBLAS of version 12 or later
     */
    static CublasLibrary open(String name) {
        CublasLibrary library = new CublasLibrary(SharedLibrary.open(name));
        if (library.version < OLDEST_VERSION) {
            throw new IllegalArgumentException(library.file + " is older than cuBLAS 12");
        }
        return library;
    }

    private int version(MethodHandle getVersion) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_INT);
            // The null handle is allowed here.
            check((int) getVersion.invokeExact(0L, value.address()), "cublasGetVersion_v2", file);
            return value.get(JAVA_INT, 0);
        } catch (Throwable e) {
            throw SharedLibrary.failure("cublasGetVersion_v2", e);
        }
    }

    /** The file that was opened. */
    String file() {
        return file;
    }

    /** Such as {@code 13.1.1}. */
    String version() {
        return major() + "." + version / 100 % 100 + "." + version % 100;
    }

    /** The version of CUDA that it belongs to. */
    int major() {
        return version / 10000;
    }

    /**
     * A handle for the device whose context is current.
     *
     * @throws CublasException such as {@code CUBLAS_STATUS_NOT_INITIALIZED} without a device or with too old a driver
     */
    long create() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(JAVA_LONG);
            check((int) create.invokeExact(handle.address()), "cublasCreate_v2", file);
            return handle.get(JAVA_LONG, 0);
        } catch (Throwable e) {
            throw SharedLibrary.failure("cublasCreate_v2", e);
        }
    }

    void destroy(long handle) {
        try {
            check((int) destroy.invokeExact(handle), "cublasDestroy_v2", file);
        } catch (Throwable e) {
            throw SharedLibrary.failure("cublasDestroy_v2", e);
        }
    }

    /** Puts the work of a handle on a stream; its workspace is again the library's. */
    void setStream(long handle, long stream) {
        try {
            check((int) setStream.invokeExact(handle, stream), "cublasSetStream_v2", file);
        } catch (Throwable e) {
            throw SharedLibrary.failure("cublasSetStream_v2", e);
        }
    }

    /** Gives a handle its scratch memory, 256-byte aligned. */
    void setWorkspace(long handle, long address, long bytes) {
        try {
            check((int) setWorkspace.invokeExact(handle, address, bytes), "cublasSetWorkspace_v2", bytes + " bytes");
        } catch (Throwable e) {
            throw SharedLibrary.failure("cublasSetWorkspace_v2", e);
        }
    }

    /**
     * {@code cublasGemmEx}: C = α·op(A)·op(B) + β·C, column-major; op(A) is m × k. A and B have the same type.
     *
     * @param alpha address of a float on the host, read before the call returns; so is {@code beta}
     * @return the status, for a caller that can say what it was about
     */
    int gemm(
            long handle,
            int operationA,
            int operationB,
            int m,
            int n,
            int k,
            long alpha,
            long a,
            int leadingA,
            long b,
            int leadingB,
            int typeOfFactors,
            long beta,
            long c,
            int leadingC,
            int typeOfResult,
            int compute) {
        try {
            return (int) gemm.invokeExact(
                    handle,
                    operationA,
                    operationB,
                    m,
                    n,
                    k,
                    alpha,
                    a,
                    typeOfFactors,
                    leadingA,
                    b,
                    typeOfFactors,
                    leadingB,
                    beta,
                    c,
                    typeOfResult,
                    leadingC,
                    compute,
                    DEFAULT_ALGORITHM);
        } catch (Throwable e) {
            throw SharedLibrary.failure("cublasGemmEx", e);
        }
    }

    /** {@code cublasGemmStridedBatchedEx}: {@link #gemm} for matrices that lie a stride of elements apart. */
    int gemmStridedBatched(
            long handle,
            int operationA,
            int operationB,
            int m,
            int n,
            int k,
            long alpha,
            long a,
            int leadingA,
            long strideA,
            long b,
            int leadingB,
            long strideB,
            int typeOfFactors,
            long beta,
            long c,
            int leadingC,
            long strideC,
            int typeOfResult,
            int batch,
            int compute) {
        try {
            return (int) gemmStridedBatched.invokeExact(
                    handle,
                    operationA,
                    operationB,
                    m,
                    n,
                    k,
                    alpha,
                    a,
                    typeOfFactors,
                    leadingA,
                    strideA,
                    b,
                    typeOfFactors,
                    leadingB,
                    strideB,
                    beta,
                    c,
                    typeOfResult,
                    leadingC,
                    strideC,
                    batch,
                    compute,
                    DEFAULT_ALGORITHM);
        } catch (Throwable e) {
            throw SharedLibrary.failure("cublasGemmStridedBatchedEx", e);
        }
    }

    /** Whether a status is that of a call that was accepted. */
    static boolean accepted(int status) {
        return status == SUCCESS;
    }

    /** What a call that was refused throws. */
    CublasException failure(int status, String call, String about) {
        return new CublasException(status, nameOf(status), call, about);
    }

    private void check(int status, String call, String about) {
        if (!accepted(status)) {
            throw failure(status, call, about);
        }
    }

    private String nameOf(int status) {
        try {
            return SharedLibrary.text((long) statusName.invokeExact(status));
        } catch (Throwable e) {
            throw SharedLibrary.failure("cublasGetStatusName", e);
        }
    }
}
