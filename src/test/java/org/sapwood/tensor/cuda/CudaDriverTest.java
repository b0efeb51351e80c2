package org.sapwood.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever stands in the way of a device: one line that says what it is and what mends it. */
class CudaDriverTest {
    @TempDir
    private Path temp;

    @BeforeEach
    void requireEmulator() {
        EmulatedFault.requireEmulator();
    }

    private static String refusal(String library) {
        CudaDriver.Probe probe = CudaDriver.probe(library);
        assertNull(probe.device(), "there is a device");
        assertEquals(1, probe.reason().lines().count(), probe.reason());
        return probe.reason();
    }

    private static String refusal() {
        return refusal(EmulatedFault.library().toString());
    }

    private static void withProperty(String name, String value, Runnable work) {
        @Nullable String before = System.getProperty(name);
        System.setProperty(name, value);
        try {
            work.run();
        } finally {
            if (before == null) {
                System.clearProperty(name);
            } else {
                System.setProperty(name, before);
            }
        }
    }

    @Test
    void soundWorldHasADevice() {
        assertNotNull(CudaDriver.probe(EmulatedFault.library().toString()).device());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "no-device  | the NVIDIA driver sees no device; check nvidia-smi and CUDA_VISIBLE_DEVICES",
                "old-driver | the NVIDIA driver is too old: it is for CUDA 11.0; install 580 or later, which is for"
                        + " CUDA 13",
                "no-binary  | the kernels of this build do not run on Sapwood emulator (compute capability 9.0, driver"
                        + " for CUDA 13.0): CUDA_ERROR_NO_BINARY_FOR_GPU; update the NVIDIA driver, or build Sapwood with"
                        + " nvcc for this device",
                "missing-kernel:elementwise_add | kernel elementwise_add is missing from the module elementwise; the"
                        + " kernels are of another version than this program: build both again",
            })
    void eachFaultHasItsLine(String fault, String line) {
        EmulatedFault.during(fault, () -> {
            assertEquals(line, refusal());
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"abc", "1", "-1", "0x0", "", " "})
    void theDeviceMustBeANumberOfOne(String value) {
        withProperty(
                CudaDevice.DEVICE_PROPERTY,
                value,
                () -> assertEquals(
                        "sapwood.cuda.device must be the number of a device, 0 here, got '" + value + "'", refusal()));
    }

    @Test
    void precisionAndProviderMustBeKnown() {
        withProperty(
                Precision.PROPERTY,
                "fp8",
                () -> assertEquals("sapwood.cuda.precision must be one of fp32, tf32, bf16, got 'fp8'", refusal()));
        withProperty(
                MatrixProducts.PROPERTY,
                "mkl",
                () -> assertEquals("sapwood.cuda.products must be one of own, cublas, got 'mkl'", refusal()));
        withProperty(
                MatrixProducts.PROPERTY,
                "cublas",
                () -> assertEquals(
                        "sapwood.cuda.products=cublas, but it cannot be used: an emulated device has no cuBLAS",
                        refusal()));
    }

    @Test
    void aDriverThatIsNotThereIsNotLookedForElsewhere() {
        String missing = temp.resolve("libcuda.so.1").toString();
        assertEquals(
                "-Dsapwood.cuda.driver=" + missing
                        + ": there is no such file; name the file of a CUDA driver, or leave the property out",
                refusal(missing));
        assertTrue(refusal(temp.toString()).contains(temp + ": there is no such file"));
        assertTrue(refusal("").contains("-Dsapwood.cuda.driver=: there is no such file"));
    }

    @Test
    void aFileThatIsNoLibraryIsRefusedWithTheLinkersReason() throws IOException {
        Path file = Files.writeString(temp.resolve("libcuda.so.1"), "no library");
        String line = refusal(file.toString());
        assertTrue(line.startsWith("-Dsapwood.cuda.driver=" + file + " cannot be loaded: "), line);
        assertTrue(line.contains("too short"), line);
        assertEquals(line.indexOf(file.toString()), line.lastIndexOf(file.toString()), "the path once: " + line);
    }

    /** JCuda would then take the system's driver unasked. */
    @Test
    void aLibraryThatIsNoDriverIsRefused() {
        Path library = Path.of(System.getProperty("java.home"), "lib", "libprefs.so");
        assumeTrue(Files.exists(library), "no library to try: " + library);
        assertEquals(
                "-Dsapwood.cuda.driver=" + library
                        + " is a library, but no libcuda.so.1; name the file of a CUDA driver,"
                        + " or leave the property out",
                refusal(library.toString()));
    }
}
