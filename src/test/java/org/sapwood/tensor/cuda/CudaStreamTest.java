package org.sapwood.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import jcuda.driver.CUresult;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.sapwood.tensor.HeapStorage;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.OutOfDeviceMemoryException;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/** What a stream promises of recorded sequences, memory, copies, and errors. */
class CudaStreamTest {
    /** Runs of a recorded sequence: the first executes it, the second captures it, the others launch the graph. */
    private static final int RUNS = 4;

    private CudaStream stream;

    @BeforeEach
    void open() {
        stream = OnDevice.stream();
    }

    @AfterEach
    void close() {
        // None where the test is skipped.
        if (stream != null) {
            stream.close();
        }
    }

    private Tensor tensor(float... values) {
        Tensor tensor = new Tensor(Shape.of(values.length), stream.allocate(values.length), 0);
        write(tensor, values);
        return tensor;
    }

    private void write(Tensor tensor, float... values) {
        stream.staging().upload(values, 0, values.length, stream.address(tensor));
    }

    private float[] read(Tensor tensor) {
        return OnDevice.readFloats(stream, stream.address(tensor), tensor.size());
    }

    /** y ← 2·x. */
    private void twice(Tensor x, Tensor y) {
        CudaElementwise.scale(stream, x, 2, y, false);
    }

    private static String message(Throwable failure) {
        return String.valueOf(failure.getMessage());
    }

    // ---- recorded sequences ---------------------------------------------------------------------------------------

    @Test
    void everyRunReadsWhatTheMemoryHoldsThen() {
        Tensor x = tensor(0);
        Tensor y = tensor(0);
        Runnable recorded = stream.record(() -> twice(x, y));
        for (int run = 1; run <= RUNS; run++) {
            write(x, run);
            recorded.run();
            assertArrayEquals(new float[] {2 * run}, read(y), "run " + run);
        }
    }

    @Test
    void weightsThatHaveChangedAreSeenByTheNextRun() {
        HeapStorage weights = new HeapStorage(new float[] {0, 5});
        Tensor x = new Tensor(Shape.of(1), weights, 1);
        Tensor y = tensor(0);
        Runnable recorded = stream.record(() -> twice(x, y));
        for (int run = 1; run <= RUNS; run++) {
            weights.array()[1] = run;
            weights.changed();
            recorded.run();
            assertArrayEquals(new float[] {2 * run}, read(y), "run " + run);
        }
    }

    /** Two sequences share the device's copy: the one that runs first must not keep the change from the other. */
    @Test
    void weightsAreRenewedForEverySequenceThatReadsThem() {
        HeapStorage weights = new HeapStorage(new float[] {5});
        Tensor x = new Tensor(Shape.of(1), weights, 0);
        Tensor y = tensor(0);
        Tensor z = tensor(0);
        Runnable one = stream.record(() -> twice(x, y));
        Runnable other = stream.record(() -> twice(x, z));
        for (int run = 1; run <= RUNS; run++) {
            weights.array()[0] = run;
            weights.changed();
            one.run();
            other.run();
            assertArrayEquals(new float[] {2 * run}, read(y), "run " + run);
            assertArrayEquals(new float[] {2 * run}, read(z), "run " + run);
        }
    }

    @Test
    void indicesThatHaveChangedAreSeenByTheNextRun() {
        Tensor table = new Tensor(Shape.of(5, 1), tensor(0, 10, 20, 30, 40).storage(), 0);
        Tensor y = new Tensor(Shape.of(2, 1), tensor(0, 0).storage(), 0);
        Indices rows = new Indices(2);
        Runnable recorded = stream.record(() -> CudaEmbedding.embedding(stream, table, rows, y));
        for (int run = 1; run <= RUNS; run++) {
            rows.values()[0] = run;
            rows.values()[1] = 4 - run;
            recorded.run();
            assertArrayEquals(new float[] {10 * run, 40 - 10 * run}, read(y), "run " + run);
        }
    }

    @Test
    void aSequenceInsideAnotherIsPartOfItAndStillOneOfItsOwn() {
        Tensor x = tensor(1);
        Tensor y = tensor(0);
        Tensor z = tensor(0);
        AtomicInteger calls = new AtomicInteger();
        Runnable inner = stream.record(() -> {
            calls.incrementAndGet();
            twice(x, y);
        });
        Runnable outer = stream.record(() -> {
            inner.run();
            twice(y, z);
        });
        for (int run = 1; run <= RUNS; run++) {
            write(x, run);
            outer.run();
            assertArrayEquals(new float[] {4 * run}, read(z), "run " + run);
        }
        assertEquals(2, calls.get(), "executed once and captured once");
        for (int run = 1; run <= RUNS; run++) {
            write(x, -run);
            inner.run();
            assertArrayEquals(new float[] {-2 * run}, read(y), "inner run " + run);
            assertArrayEquals(new float[] {4 * RUNS}, read(z), "what the outer one left");
        }
        assertEquals(4, calls.get());
    }

    @Test
    void aCopyToTheHeapInsideASequenceIsRefusedAndTheStreamGoesOn() {
        Tensor x = tensor(3);
        Tensor y = tensor(0);
        Runnable recorded = stream.record(() -> {
            twice(x, y);
            read(y);
        });
        recorded.run();
        IllegalStateException refusal = assertThrows(IllegalStateException.class, recorded::run);
        assertTrue(message(refusal).contains("no copy from or to the heap"), message(refusal));

        Runnable sound = stream.record(() -> twice(y, x));
        for (int run = 1; run <= RUNS; run++) {
            write(y, run);
            sound.run();
            assertArrayEquals(new float[] {2 * run}, read(x), "run " + run);
        }
    }

    @Test
    void weightsThatTheFirstRunDidNotReadAreRefused() {
        Tensor weights = Tensor.of(new float[] {7}, 1);
        Tensor y = tensor(0);
        AtomicBoolean later = new AtomicBoolean();
        Runnable recorded = stream.record(() -> twice(later.get() ? weights : y, y));
        recorded.run();
        later.set(true);
        IllegalStateException refusal = assertThrows(IllegalStateException.class, recorded::run);
        assertTrue(message(refusal).contains("no new weights"), message(refusal));
        twice(weights, y);
        assertArrayEquals(new float[] {14}, read(y), "outside of a sequence they are read as ever");
    }

    @Test
    void aSequenceThatThrewCanRunAgain() {
        Tensor x = tensor(1);
        Tensor y = tensor(0);
        for (int failing = 1; failing <= 2; failing++) {
            AtomicInteger calls = new AtomicInteger();
            int fails = failing;
            Runnable recorded = stream.record(() -> {
                twice(x, y);
                if (calls.incrementAndGet() == fails) {
                    throw new UnsupportedOperationException("call " + fails);
                }
            });
            for (int run = 1; run <= RUNS; run++) {
                write(x, run);
                if (run == failing) {
                    assertThrows(UnsupportedOperationException.class, recorded::run);
                } else {
                    recorded.run();
                    assertArrayEquals(new float[] {2 * run}, read(y), "run " + run + ", failing in " + failing);
                }
            }
            assertEquals(3, calls.get(), "it failed, was executed, and was captured");
        }
    }

    // ---- memory ---------------------------------------------------------------------------------------------------

    @Test
    void aLargerWorkspaceLeavesEarlierGraphsTheirs() {
        Tensor x = tensor(0, 0);
        Tensor y = tensor(0, 0);
        long bytes = 2 * Float.BYTES;
        Runnable recorded = stream.record(() -> {
            long scratch = stream.workspace(bytes);
            stream.copy(stream.address(x), scratch, bytes);
            stream.copy(scratch, stream.address(y), bytes);
        });
        recorded.run();
        recorded.run();
        long small = stream.workspace(bytes);
        assertEquals(small, stream.workspace(1 << 20), "what fits stays where it is");
        long large = stream.workspace(64 << 20);
        assertNotEquals(small, large);
        stream.fill(large, -1, 64 << 20);
        for (int run = 3; run <= RUNS; run++) {
            write(x, run, -run);
            recorded.run();
            assertArrayEquals(new float[] {run, -run}, read(y), "run " + run);
        }
    }

    @Test
    void theWorkspaceCannotGrowWhileASequenceIsCaptured() {
        AtomicInteger bytes = new AtomicInteger(16);
        Runnable recorded = stream.record(() -> stream.fill(stream.workspace(bytes.get()), 0, 16));
        recorded.run();
        bytes.set(64 << 20);
        IllegalStateException refusal = assertThrows(IllegalStateException.class, recorded::run);
        assertTrue(message(refusal).contains("workspace cannot grow"), message(refusal));
        recorded = stream.record(() -> stream.fill(stream.workspace(bytes.get()), 0, 16));
        for (int run = 1; run <= RUNS; run++) {
            recorded.run();
        }
    }

    @Test
    void fullMemoryTellsHowMuchIsLeft() {
        EmulatedFault.requireEmulator();
        EmulatedFault.during(EmulatedFault.memory(10 << 20), () -> {
            OutOfDeviceMemoryException failure =
                    assertThrows(OutOfDeviceMemoryException.class, () -> stream.allocate(3 << 20));
            assertEquals("Sapwood emulator has 10 MiB of memory left, but 12 MiB more are needed", message(failure));
            stream.allocate(2 << 20);
        });
    }

    /** Freed memory and a destroyed stream would otherwise be handed to the driver, which may end the process. */
    @Test
    void afterItsEndAStreamRefusesToWork() {
        Tensor x = tensor(1, 2, 3);
        stream.close();
        IllegalStateException failure = assertThrows(IllegalStateException.class, () -> twice(x, x));
        assertEquals("this CUDA backend is closed: its stream and its memory are gone", message(failure));
        assertThrows(IllegalStateException.class, () -> stream.allocate(1));
        assertThrows(IllegalStateException.class, () -> read(x));
        stream.close();
    }

    // ---- copies ---------------------------------------------------------------------------------------------------

    /** The ring has two halves of 8 MiB. */
    @Test
    void arraysLargerThanTheRingArriveWhole() {
        int count = 5_000_011;
        float[] floats = new float[count];
        int[] ints = new int[count];
        for (int i = 0; i < count; i++) {
            floats[i] = i + 0.5f;
            ints[i] = Float.floatToRawIntBits(-i);
        }
        long address = stream.allocate(count).address();
        stream.staging().upload(floats, 0, count, address);
        assertArrayEquals(floats, OnDevice.readFloats(stream, address, count));
        stream.staging().upload(ints, address);
        float[] read = OnDevice.readFloats(stream, address, count);
        for (int i = 0; i < count; i++) {
            assertEquals(-i, read[i]);
        }
    }

    @Test
    void wideArraysLargerThanTheRingArriveWhole() {
        int count = 2_500_003;
        long[] longs = new long[count + 2];
        double[] doubles = new double[count];
        for (int i = 0; i < count; i++) {
            longs[i + 2] = i * 0x1_0000_0001L;
            doubles[i] = i * 1e100;
        }
        long address = stream.allocate(2 * count).address();
        stream.staging().upload(longs, 2, count, address);
        assertArrayEquals(Arrays.copyOfRange(longs, 2, count + 2), OnDevice.readLongs(stream, address, count));
        stream.staging().upload(doubles, address);
        assertArrayEquals(doubles, OnDevice.readDoubles(stream, address, count));
    }

    /** Enough to go around the ring several times; the array is reused at once, as the promise is. */
    @Test
    void manySmallCopiesInFlightDoNotMix() {
        int copies = 12_000;
        int count = 1001;
        long address = stream.allocate(copies * count).address();
        float[] values = new float[count];
        for (int copy = 0; copy < copies; copy++) {
            Arrays.fill(values, copy);
            stream.staging().upload(values, 0, count, address + (long) copy * count * Float.BYTES);
        }
        float[] all = OnDevice.readFloats(stream, address, copies * count);
        for (int copy = 0; copy < copies; copy++) {
            Arrays.fill(values, copy);
            assertArrayEquals(values, Arrays.copyOfRange(all, copy * count, (copy + 1) * count));
        }
    }

    @Test
    void partsOfArraysGoWhereTheyShould() {
        Tensor x = tensor(0, 0, 0, 0);
        stream.staging().upload(new float[] {1, 2, 3, 4, 5}, 2, 2, stream.address(x) + Float.BYTES);
        float[] target = {9, 9, 9, 9, 9, 9};
        stream.staging().download(stream.address(x), 3, target, 2);
        assertArrayEquals(new float[] {9, 9, 0, 3, 4, 9}, target);
        stream.staging().upload(new int[0], stream.address(x));
        stream.staging().download(stream.address(x), 0, target, 6);
        assertArrayEquals(new float[] {0, 3, 4, 0}, read(x));
    }

    // ---- errors ---------------------------------------------------------------------------------------------------

    @Test
    void aLaunchThatFailsNamesKernelAndSizes() {
        EmulatedFault.requireEmulator();
        Tensor x = tensor(1, 2, 3);
        Tensor y = tensor(0, 0, 0);
        EmulatedFault.during("launch-failure:elementwise_scale", () -> {
            CudaException failure = assertThrows(CudaException.class, () -> twice(x, y));
            String message = message(failure);
            assertTrue(
                    message.startsWith("cuLaunchKernel failed: CUDA_ERROR_LAUNCH_FAILED (kernel elementwise_scale, grid"
                            + " 1x1x1, 256 threads, 0 bytes of shared memory)"),
                    message);
            assertTrue(message.contains("CUDA_LAUNCH_BLOCKING=1"), message);
            assertEquals(719, failure.result());
        });
        twice(x, y);
        assertArrayEquals(new float[] {2, 4, 6}, read(y));
    }

    @Test
    void aGraphThatFailsNamesItsKernels() {
        EmulatedFault.requireEmulator();
        Tensor x = tensor(1);
        Tensor y = tensor(0);
        Runnable recorded = stream.record(() -> {
            CudaElementwise.silu(stream, x, y);
            twice(x, y);
            CudaElementwise.add(stream, y, y, y);
        });
        recorded.run();
        recorded.run();
        EmulatedFault.during("launch-failure:elementwise_scale@2", () -> {
            recorded.run();
            String message = message(assertThrows(CudaException.class, recorded::run));
            assertTrue(
                    message.startsWith(
                            "cuGraphLaunch failed: CUDA_ERROR_LAUNCH_FAILED (a recorded sequence of 3 kernels,"
                                    + " elementwise_silu to elementwise_add)"),
                    message);
        });
        recorded.run();
        assertArrayEquals(new float[] {4}, read(y));
    }

    @Test
    void onlyErrorsOfKernelsMayBeSomeOtherKernels() {
        assertEquals(
                "cuMemsetD32Async failed: CUDA_ERROR_INVALID_VALUE (12 bytes)",
                message(CudaException.of(CUresult.CUDA_ERROR_INVALID_VALUE, "cuMemsetD32Async", "12 bytes")));
        assertEquals(
                "cuStreamSynchronize failed: CUDA_ERROR_ILLEGAL_ADDRESS; the culprit may be an earlier kernel, which"
                        + " CUDA_LAUNCH_BLOCKING=1 SAPWOOD_JAVA_OPTS=-Dsapwood.cuda.profile=true would name",
                message(CudaException.of(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, "cuStreamSynchronize", "")));
    }

    @Test
    void anyCallMayFindTheMemoryFull() {
        RuntimeException failure =
                CudaException.of(CUresult.CUDA_ERROR_OUT_OF_MEMORY, "cuGraphInstantiate", "3 kernels");
        assertInstanceOf(OutOfDeviceMemoryException.class, failure);
        assertEquals("the device's memory is full: cuGraphInstantiate failed (3 kernels)", message(failure));
    }

    @Test
    void aKernelThatIsMissingIsNamed() {
        String message = message(
                assertThrows(KernelMissingException.class, () -> stream.kernel("elementwise", "elementwise_divide")));
        assertTrue(message.startsWith("kernel elementwise_divide is missing from the module elementwise"), message);
        assertTrue(message.endsWith("build both again"), message);
    }

    @Test
    void theProfileCountsLaunchesAndOutlivesOneThatFails() {
        EmulatedFault.requireEmulator();
        PrintStream console = System.err;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setProperty(LaunchProfile.PROPERTY, "true");
        System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try (CudaStream profiled = new CudaStream(CudaDriver.device(), Precision.FP32)) {
            Tensor x = new Tensor(Shape.of(1), profiled.allocate(1), 0);
            Runnable recorded = profiled.record(() -> CudaElementwise.scale(profiled, x, 2, x, false));
            recorded.run();
            EmulatedFault.during("launch-failure:elementwise_scale", () -> {
                assertThrows(CudaException.class, recorded::run);
            });
            recorded.run();
            recorded.run();
        } finally {
            System.setErr(console);
            System.clearProperty(LaunchProfile.PROPERTY);
        }
        String table = printed.toString(StandardCharsets.UTF_8);
        assertTrue(table.contains(" ms in kernels"), table);
        assertTrue(table.lines().anyMatch(line -> line.matches(".* 3 x .* us  elementwise_scale 1x1x1")), table);
    }

    @Test
    void timeIsTakenByTheDevice() {
        Tensor x = tensor(1);
        double seconds = stream.seconds(() -> twice(x, x));
        assertTrue(seconds >= 0 && seconds < 60, "seconds " + seconds);
        assertThrows(
                UnsupportedOperationException.class,
                () -> stream.seconds(() -> {
                    throw new UnsupportedOperationException();
                }));
    }
}
