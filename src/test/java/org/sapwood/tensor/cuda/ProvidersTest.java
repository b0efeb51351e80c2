package org.sapwood.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Providers of matrix products, as far as they can be tested without a GPU: cuBLAS is played by a small library, made by
 * gcc, that computes on the host.
 */
class ProvidersTest {
    private static final long SEED = 20260101;
    private static final String FAKE = "fake_cublas.c";
    private static final int NOT_SUPPORTED = 15;

    @TempDir
    static Path folder;

    // Places in fake_record.
    private static final int LIVE_HANDLES = 0;
    private static final int STREAM = 1;
    private static final int WORKSPACE = 2;
    private static final int WORKSPACE_BYTES = 3;
    private static final int COMPUTE_TYPE = 4;
    private static final int ALGORITHM = 5;
    private static final int CALLS = 6;
    private static final int NEXT_STATUS = 7;
    private static final int RECORD_LENGTH = 8;

    /** A fake library, its products on a made-up stream, and memory that stands for the device's. */
    private static final class Fixture implements AutoCloseable {
        static final long MADE_UP_STREAM = 0x1234_5678_9ABCL;
        static final long MADE_UP_WORKSPACE = 0x7F00_0000_0100L;

        final CublasProducts products;
        private final Arena arena = Arena.ofConfined();
        private final MemorySegment recorded;

        Fixture(Precision precision) {
            Path file = fake(130101);
            recorded = recordOf(file);
            products = new CublasProducts(
                    CublasLibrary.open(file.toString()), precision, MADE_UP_STREAM, MADE_UP_WORKSPACE);
        }

        long get(int field) {
            return recorded.getAtIndex(ValueLayout.JAVA_LONG, field);
        }

        void refuseNextCall() {
            refuse(recorded);
        }

        MemorySegment floats(float[] values) {
            return arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
        }

        MemorySegment bfloats(float[] values) {
            MemorySegment result = arena.allocate(Math.max(1, values.length) * (long) Short.BYTES, Short.BYTES);
            for (int i = 0; i < values.length; i++) {
                result.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(values[i]) >>> 16));
            }
            return result;
        }

        @Override
        public void close() {
            products.close();
            arena.close();
        }
    }

    /** What a fake library was told, which it shares with everyone who opens the same file. */
    @SuppressWarnings("restricted")
    private static MemorySegment recordOf(Path file) {
        return MemorySegment.ofAddress(SharedLibrary.open(file.toString()).address("fake_record"))
                .reinterpret((long) RECORD_LENGTH * Long.BYTES);
    }

    /** Makes the next call of a fake library fail. */
    private static void refuse(MemorySegment recorded) {
        recorded.setAtIndex(ValueLayout.JAVA_LONG, NEXT_STATUS, NOT_SUPPORTED);
    }

    /** Builds the fake of a version once, or skips the test where there is no gcc. */
    private static synchronized Path fake(int version) {
        Path file = folder.resolve("libcublas-" + version + ".so");
        if (!Files.exists(file)) {
            compile(file, version);
        }
        return file;
    }

    private static void compile(Path library, int version) {
        Path source = folder.resolve(FAKE);
        try (InputStream in = ProvidersTest.class.getResourceAsStream(FAKE)) {
            Files.write(source, Objects.requireNonNull(in, FAKE).readAllBytes());
            Process gcc = new ProcessBuilder(
                            "gcc",
                            "-O1",
                            "-Wall",
                            "-shared",
                            "-fPIC",
                            "-DVERSION=" + version,
                            "-o",
                            library.toString(),
                            source.toString())
                    .redirectErrorStream(true)
                    .start();
            String output = new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, gcc.waitFor(), output);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        } catch (IOException e) {
            abort("gcc, which makes the stand-in for cuBLAS, cannot be run: " + e.getMessage());
        }
    }

    // ---- products -------------------------------------------------------------------------------------------------

    /** Odd and unequal sizes, so that no two extents can be mistaken for each other. */
    @ParameterizedTest
    @CsvSource({
        "1, 1, 1",
        "2, 3, 5",
        "7, 5, 3",
        "1, 9, 4",
        "9, 1, 4",
        "6, 4, 1",
        "13, 17, 11",
    })
    void productsAreRowMajorInEveryOrientation(int m, int n, int k) {
        Random random = new Random(SEED);
        try (Fixture cublas = new Fixture(Precision.FP32)) {
            for (int orientation = 0; orientation < 4; orientation++) {
                boolean transposeA = (orientation & 1) != 0;
                boolean transposeB = (orientation & 2) != 0;
                float[] a = values(random, m * k);
                float[] b = values(random, k * n);
                float[] c = values(random, m * n);
                MemorySegment result = cublas.floats(c);
                cublas.products.product(
                        m,
                        n,
                        k,
                        0.75f,
                        cublas.floats(a).address(),
                        transposeA,
                        cublas.floats(b).address(),
                        transposeB,
                        -0.5f,
                        result.address());
                assertProduct(m, n, k, 0.75f, a, 0, transposeA, b, 0, transposeB, -0.5f, c, result, 0);
            }
        }
    }

    @Test
    void batchesKeepTheirStrides() {
        int batch = 3;
        int m = 4;
        int n = 5;
        int k = 2;
        int strideA = m * k + 3;
        int strideB = k * n + 1;
        int strideC = m * n + 7;
        Random random = new Random(SEED);
        try (Fixture cublas = new Fixture(Precision.FP32)) {
            float[] a = values(random, batch * strideA);
            float[] b = values(random, batch * strideB);
            float[] c = values(random, batch * strideC);
            MemorySegment result = cublas.floats(c);
            cublas.products.products(
                    batch,
                    m,
                    n,
                    k,
                    2,
                    cublas.floats(a).address(),
                    true,
                    strideA,
                    cublas.floats(b).address(),
                    false,
                    strideB,
                    1,
                    result.address(),
                    strideC);
            for (int i = 0; i < batch; i++) {
                assertProduct(m, n, k, 2, a, i * strideA, true, b, i * strideB, false, 1, c, result, i * strideC);
                for (int gap = m * n; gap < strideC; gap++) {
                    assertEquals(c[i * strideC + gap], at(result, i * strideC + gap), "between results");
                }
            }
        }
    }

    @Test
    void bfloat16FactorsGiveAFloat32Product() {
        float[] a = {1, -2, 0.5f, 3, 0.25f, 4};
        float[] b = {2, 1, -1, 0.5f, 8, -3};
        try (Fixture cublas = new Fixture(Precision.FP32)) {
            float[] c = {Float.NaN, Float.NaN, Float.NaN, Float.NaN};
            MemorySegment result = cublas.floats(c);
            cublas.products.productOfBfloat16(
                    2,
                    2,
                    3,
                    1,
                    cublas.bfloats(a).address(),
                    false,
                    cublas.bfloats(b).address(),
                    false,
                    0,
                    result.address());
            assertProduct(2, 2, 3, 1, a, 0, false, b, 0, false, 0, c, result, 0);
        }
    }

    @Test
    void emptyProductsScaleAndEmptyResultsAreNotAskedFor() {
        try (Fixture cublas = new Fixture(Precision.FP32)) {
            MemorySegment c = cublas.floats(new float[] {8, 6});
            cublas.products.product(1, 2, 0, 1, c.address(), false, c.address(), false, 0.5f, c.address());
            assertEquals(4, at(c, 0));
            assertEquals(3, at(c, 1));
            long calls = cublas.get(CALLS);
            cublas.products.product(0, 2, 3, 1, 0, false, 0, false, 0, 0);
            cublas.products.product(2, 0, 3, 1, 0, false, 0, false, 0, 0);
            cublas.products.products(0, 2, 2, 2, 1, 0, false, 0, 0, false, 0, 0, 0, 0);
            assertEquals(calls, cublas.get(CALLS));
        }
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void thePrecisionDecidesTheComputeType(Precision precision) {
        long expected = switch (precision) {
            case FP32 -> 68;
            case TF32 -> 77;
            case BF16 -> 75;
        };
        try (Fixture cublas = new Fixture(precision)) {
            MemorySegment one = cublas.floats(new float[] {1});
            cublas.products.product(1, 1, 1, 1, one.address(), false, one.address(), false, 0, one.address());
            assertEquals(expected, cublas.get(COMPUTE_TYPE));
            assertEquals(-1, cublas.get(ALGORITHM));
        }
    }

    @Test
    void aHandleKnowsItsStreamAndItsWorkspaceAndIsDestroyed() {
        Fixture cublas = new Fixture(Precision.FP32);
        assertEquals(1, cublas.get(LIVE_HANDLES));
        assertEquals(Fixture.MADE_UP_STREAM, cublas.get(STREAM));
        assertEquals(Fixture.MADE_UP_WORKSPACE, cublas.get(WORKSPACE));
        assertEquals(32L << 20, cublas.get(WORKSPACE_BYTES));
        cublas.close();
        assertEquals(0, cublas.get(LIVE_HANDLES));
    }

    @Test
    void aRefusedCallNamesItselfItsSizesAndTheStatus() {
        try (Fixture cublas = new Fixture(Precision.TF32)) {
            cublas.refuseNextCall();
            CublasException error = assertThrows(
                    CublasException.class, () -> cublas.products.product(3, 5, 7, 1, 0, true, 0, false, 0, 0));
            assertEquals(NOT_SUPPORTED, error.status());
            assertEquals(
                    "cublasGemmEx failed: CUBLAS_STATUS_NOT_SUPPORTED (row-major [3, 7] stored transposed times [7, 5],"
                            + " tf32)",
                    error.getMessage());
            cublas.refuseNextCall();
            String message = message(assertThrows(
                    CublasException.class,
                    () -> cublas.products.products(2, 3, 5, 7, 1, 0, false, 21, 0, true, 35, 0, 0, 15)));
            assertTrue(message.startsWith("cublasGemmStridedBatchedEx failed: CUBLAS_STATUS_NOT_SUPPORTED"), message);
            assertTrue(message.contains("batch 2, strides 21, 35, 15"), message);
        }
    }

    private static void assertProduct(
            int m,
            int n,
            int k,
            float alpha,
            float[] a,
            int fromA,
            boolean transposeA,
            float[] b,
            int fromB,
            boolean transposeB,
            float beta,
            float[] before,
            MemorySegment result,
            int fromC) {
        for (int row = 0; row < m; row++) {
            for (int column = 0; column < n; column++) {
                double sum = 0;
                for (int j = 0; j < k; j++) {
                    float left = a[fromA + (transposeA ? j * m + row : row * k + j)];
                    float right = b[fromB + (transposeB ? column * k + j : j * n + column)];
                    sum += (double) left * right;
                }
                int index = fromC + row * n + column;
                double expected = alpha * sum + (beta == 0 ? 0 : (double) beta * before[index]);
                assertEquals(
                        (float) expected,
                        at(result, index),
                        1e-6f,
                        () -> "element " + index + " of [" + m + ", " + n + "], k " + k + ", transposed " + transposeA
                                + " " + transposeB + ", seed " + SEED);
            }
        }
    }

    private static float[] values(Random random, int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        return values;
    }

    private static float at(MemorySegment matrix, int index) {
        return matrix.getAtIndex(ValueLayout.JAVA_FLOAT, index);
    }

    // ---- the search -----------------------------------------------------------------------------------------------

    @Test
    void theFirstThatFitsTheDriverIsFoundWithItsFileAndVersion() {
        Path newer = fake(130101);
        Path older = fake(120401);
        List<String> candidates = List.of("libsapwood-none.so.1", newer.toString(), older.toString());
        CublasLibrary forNewDriver = library(CublasSearch.search(candidates, 13));
        assertEquals("13.1.1", forNewDriver.version());
        assertEquals(newer.toString(), forNewDriver.file());
        CublasLibrary forOldDriver = library(CublasSearch.search(candidates, 12));
        assertEquals("12.4.1", forOldDriver.version());
    }

    @Test
    void everyRefusalHasItsReason() {
        Path tooNew = fake(130101);
        Path tooOld = fake(11001);
        Path broken = fake(120401);
        refuse(recordOf(broken));
        CublasSearch.Result result = CublasSearch.search(
                List.of("libsapwood-none.so.1", "libm.so.6", tooNew.toString(), tooOld.toString(), broken.toString()),
                12);
        assertNull(result.library());
        List<String> reasons = List.of(result.reason().split("; ", -1));
        assertEquals(5, reasons.size(), result.reason());
        assertTrue(reasons.get(0).startsWith("libsapwood-none.so.1: "), "the dynamic linker's own words");
        assertEquals("libm.so.6 has no cublasCreate_v2", reasons.get(1));
        assertEquals(tooNew + " is cuBLAS 13.1.1 and the driver supports CUDA 12 only", reasons.get(2));
        assertEquals(tooOld + " is older than cuBLAS 12", reasons.get(3));
        assertEquals(
                "cublasCreate_v2 failed: CUBLAS_STATUS_NOT_SUPPORTED (" + broken + ")",
                reasons.get(4),
                "what does not work on the device is no find");
    }

    @Test
    void aNamedLibraryIsTheOnlyCandidate() {
        assertEquals(List.of("/opt/x/libcublas.so"), CublasSearch.candidates("/opt/x/libcublas.so"));
        List<String> usual = CublasSearch.candidates(null);
        assertEquals("libcublas.so.13", usual.getFirst());
        assertTrue(usual.contains("libcublas.so.12"));
    }

    private static CublasLibrary library(CublasSearch.Result result) {
        return Objects.requireNonNull(result.library(), result.reason());
    }

    // ---- the choice -----------------------------------------------------------------------------------------------

    @Test
    void ownKernelsAreTheDefaultAndNamesAreChecked() {
        withProperty(null, () -> assertEquals(MatrixProducts.OWN, MatrixProducts.chosen()));
        withProperty("CuBLAS", () -> assertEquals(MatrixProducts.CUBLAS, MatrixProducts.chosen()));
        withProperty(
                "mkl",
                () -> assertEquals(
                        "sapwood.cuda.products must be one of own, cublas, got 'mkl'",
                        message(assertThrows(IllegalArgumentException.class, MatrixProducts::chosen))));
    }

    @Test
    void privateWorkRefusesCublas() {
        withProperty("own", () -> MatrixProducts.requireOwn("private training"));
        withProperty("cublas", () -> {
            String message = message(
                    assertThrows(IllegalStateException.class, () -> MatrixProducts.requireOwn("private training")));
            assertTrue(message.startsWith("private training needs"), message);
            assertTrue(message.contains("sapwood.cuda.products=cublas"), message);
        });
    }

    /** Whatever this machine has: no device, the emulated one, or a GPU. */
    @Test
    void theListAnswersOnEveryMachine() {
        withProperty(null, () -> {
            List<Providers.Provider> list = Providers.list();
            assertEquals(
                    List.of("own", "cublas"),
                    list.stream().map(Providers.Provider::name).toList());
            Providers.Provider own = list.getFirst();
            Providers.Provider cublas = list.getLast();
            if (CudaDriver.unavailable() != null) {
                assertFalse(own.usable());
                assertFalse(cublas.usable());
                assertTrue(cublas.detail().contains("without a device"), cublas.toString());
                return;
            }
            assertEquals("products own: in use", own.toString());
            assertNull(Providers.chosenCublas(CudaDriver.device()));
            if (CudaDriver.device().isEmulated()) {
                assertEquals("products cublas: an emulated device has no cuBLAS", cublas.toString());
            }
        });
        if (CudaDriver.unavailable() == null && CudaDriver.device().isEmulated()) {
            withProperty("cublas", () -> {
                String message = message(assertThrows(
                        IllegalArgumentException.class, () -> Providers.chosenCublas(CudaDriver.device())));
                assertTrue(message.contains("emulated"), message);
            });
        }
    }

    private static void withProperty(@Nullable String value, Runnable body) {
        String before = System.getProperty(MatrixProducts.PROPERTY);
        set(value);
        try {
            body.run();
        } finally {
            set(before);
        }
    }

    private static void set(@Nullable String value) {
        if (value == null) {
            System.clearProperty(MatrixProducts.PROPERTY);
        } else {
            System.setProperty(MatrixProducts.PROPERTY, value);
        }
    }

    private static String message(Throwable error) {
        String message = error.getMessage();
        assertNotNull(message);
        return message;
    }
}
