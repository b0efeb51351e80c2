package org.sapwood.tensor.cuda;

import java.io.IOException;
import java.lang.Runtime.Version;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.DeviceException;
import org.sapwood.tensor.OutOfDeviceMemoryException;

/**
 * Whether there is a device that runs the kernels, found out once. The driver is the system's {@code libcuda.so.1}, or
 * the file that {@code sapwood.cuda.driver} names, such as the driver for machines without a GPU.
 */
final class CudaDriver {
    /** System property with the path of another driver library. */
    static final String DRIVER_PROPERTY = "sapwood.cuda.driver";

    private static final String LIBRARY = "libcuda.so.1";

    /** Before it the JDK could corrupt arrays that were pinned for a native copy. */
    private static final Version OLDEST_JAVA = Version.parse("25.0.3");

    /** The first driver, for CUDA 12.0, that has every call; one that cannot run the kernels says so when it loads them. */
    private static final int OLDEST_DRIVER = 12000;

    /** The first whose tensor cores know TF32 and BF16. */
    private static final int OLDEST_CAPABILITY = 80;

    private static final Probe PROBE = probe(System.getProperty(DRIVER_PROPERTY));

    private CudaDriver() {}

    /**
     * The device, or why there is none.
     *
     * @param reason one line that ends with what would mend it
     */
    record Probe(@Nullable CudaDevice device, String reason) {
        static Probe refused(String reason) {
            return new Probe(null, reason);
        }
    }

    /** Why nothing can run here, or null if it can. */
    static @Nullable String unavailable() {
        return PROBE.device == null ? PROBE.reason : null;
    }

    /**
     * The device.
     *
     * @throws IllegalStateException if there is none
     */
    static CudaDevice device() {
        if (PROBE.device == null) {
            throw new IllegalStateException(PROBE.reason);
        }
        return PROBE.device;
    }

    /** Looks for a device anew, with the driver in the file {@code library} or, if that is null, the system's. */
    static Probe probe(@Nullable String library) {
        if (Runtime.version().compareTo(OLDEST_JAVA) < 0) {
            return Probe.refused("Java " + Runtime.version() + " is too old to copy to a device; use 25.0.3 or later");
        }
        try {
            String missing = library == null ? missingDriver() : load(library);
            return missing == null ? initialised() : Probe.refused(missing);
        } catch (NoClassDefFoundError e) {
            return Probe.refused("JCuda is missing (" + e.getMessage() + "); put jcuda 12.6.0 on the class path");
        } catch (LinkageError e) {
            return Probe.refused(
                    "JCuda's library cannot be loaded: " + lastError(e) + "; it is in jcuda-natives 12.6.0, for"
                            + " Linux on x86-64, and is unpacked to " + System.getProperty("java.io.tmpdir")
                            + ", where it must be allowed to run");
        } catch (CudaException e) {
            return Probe.refused(e.getMessage() + "; see whether nvidia-smi works");
        } catch (OutOfDeviceMemoryException e) {
            return Probe.refused(e.getMessage() + "; see nvidia-smi for who has it");
        } catch (DeviceException | IllegalArgumentException | IllegalStateException e) {
            return Probe.refused(String.valueOf(e.getMessage()));
        }
    }

    /** Asks the system's loader, which is faster than to let JCuda unpack its library and fail. */
    @SuppressWarnings("restricted")
    private static @Nullable String missingDriver() {
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup.libraryLookup(LIBRARY, arena);
            return null;
        } catch (IllegalArgumentException e) {
            return "there is no NVIDIA driver (" + LIBRARY + "); with a GPU, install its driver";
        }
    }

    /** Loads another driver, which JCuda then finds under the name of the system's; returns why that cannot be. */
    @SuppressWarnings("restricted") // loading a driver is what this class is for
    private static @Nullable String load(String library) {
        Path file = Path.of(library).toAbsolutePath();
        String option = "-D" + DRIVER_PROPERTY + "=" + library;
        String fix = "; name the file of a CUDA driver, or leave the property out";
        if (!Files.isRegularFile(file)) {
            return option + ": there is no such file" + fix;
        }
        try {
            System.load(file.toString());
        } catch (UnsatisfiedLinkError e) {
            return option + " cannot be loaded: "
                    + String.valueOf(e.getMessage()).replace(file + ": ", "") + fix;
        }
        try {
            if (Files.isSameFile(file, Path.of(SharedLibrary.open(LIBRARY).file("cuInit")))) {
                return null;
            }
        } catch (IllegalArgumentException | IOException e) {
            // It goes by another name, or no file can be found that has what a driver must have.
        }
        return option + " is a library, but no " + LIBRARY + fix;
    }

    private static Probe initialised() {
        CudaException.returnErrors();
        int[] version = new int[1];
        CudaException.check(JCudaDriver.cuDriverGetVersion(version), "cuDriverGetVersion");
        if (version[0] < OLDEST_DRIVER) {
            return Probe.refused("the NVIDIA driver is too old: it is for CUDA " + CudaDevice.version(version[0])
                    + "; install 580 or later, which is for CUDA 13");
        }
        int result = JCudaDriver.cuInit(0);
        int[] count = new int[1];
        if (result == CUresult.CUDA_SUCCESS) {
            CudaException.check(JCudaDriver.cuDeviceGetCount(count), "cuDeviceGetCount");
        } else if (result != CUresult.CUDA_ERROR_NO_DEVICE) {
            CudaException.check(result, "cuInit");
        }
        if (count[0] == 0) {
            return Probe.refused("the NVIDIA driver sees no device; check nvidia-smi and CUDA_VISIBLE_DEVICES");
        }
        CudaDevice device = CudaDevice.open(number(count[0]));
        if (device.computeCapability() < OLDEST_CAPABILITY) {
            return Probe.refused(device + " has compute capability " + device.computeCapability() / 10.0
                    + ", too little; 8.0 or later is needed");
        }
        // Loads a module, so that a driver too old for the kernels is found out here and not in the middle of a run.
        device.use();
        device.kernel("elementwise", "elementwise_add");
        Precision.chosen();
        Providers.chosenCublas(device);
        return new Probe(device, "");
    }

    /** The device that the property asks for, of so many. */
    private static int number(int count) {
        String text = System.getProperty(CudaDevice.DEVICE_PROPERTY, "0");
        for (int number = 0; number < count; number++) {
            if (text.equals(Integer.toString(number))) {
                return number;
            }
        }
        throw new IllegalArgumentException(CudaDevice.DEVICE_PROPERTY + " must be the number of a device, "
                + (count == 1 ? "0 here" : "from 0 to " + (count - 1)) + ", got '" + text + "'");
    }

    /** JCuda tells on a page what it tried; the last error on it is the one that counts. */
    private static String lastError(LinkageError e) {
        String error = UnsatisfiedLinkError.class.getName() + ": ";
        return e.toString()
                .lines()
                .filter(line -> line.startsWith(error))
                .reduce((earlier, later) -> later)
                .map(line -> line.substring(error.length()))
                .orElse(e.toString());
    }
}
