package org.sapwood.tensor.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/**
 * The one device that is used: number {@code sapwood.cuda.device} (0 if absent). Its primary context is shared by all
 * threads; each family's kernels are loaded when the first of them is asked for. Thread-safe.
 */
final class CudaDevice {
    /** System property with the number of the device. */
    static final String DEVICE_PROPERTY = "sapwood.cuda.device";

    /** Prefix of the names that the driver for machines without a GPU gives its device. */
    private static final String EMULATOR = "Sapwood emulator";

    /** Dynamic shared memory that a kernel may use without asking for more. */
    private static final int DEFAULT_SHARED_BYTES = 48 << 10;

    private final CUdevice device = new CUdevice();
    private final CUcontext context = new CUcontext();
    private final String name;
    private final int driverVersion;
    private final int computeCapability;
    private final int multiprocessors;
    private final int sharedBytesPerBlock;
    private final Map<String, CUmodule> modules = new ConcurrentHashMap<>();
    private final Map<String, CUfunction> functions = new ConcurrentHashMap<>();

    private CudaDevice(int number) {
        CudaException.check(JCudaDriver.cuDeviceGet(device, number), "cuDeviceGet", "device " + number);
        byte[] text = new byte[256];
        CudaException.check(JCudaDriver.cuDeviceGetName(text, text.length, device), "cuDeviceGetName");
        int end = 0;
        while (end < text.length && text[end] != 0) {
            end++;
        }
        name = new String(Arrays.copyOf(text, end), StandardCharsets.UTF_8);
        int[] version = new int[1];
        CudaException.check(JCudaDriver.cuDriverGetVersion(version), "cuDriverGetVersion");
        driverVersion = version[0];
        computeCapability = 10 * attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
                + attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
        multiprocessors = attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
        sharedBytesPerBlock = attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
        CudaException.check(JCudaDriver.cuDevicePrimaryCtxRetain(context, device), "cuDevicePrimaryCtxRetain", name);
    }

    /** Opens device {@code number}; the driver is initialised. */
    static CudaDevice open(int number) {
        return new CudaDevice(number);
    }

    private int attribute(int attribute) {
        int[] value = new int[1];
        CudaException.check(
                JCudaDriver.cuDeviceGetAttribute(value, attribute, device),
                "cuDeviceGetAttribute",
                CUdevice_attribute.stringFor(attribute));
        return value[0];
    }

    /** Name as the driver gives it, such as {@code NVIDIA H200}. */
    String name() {
        return name;
    }

    /** Whether this is no GPU but the driver of {@code kernels/emulator}. */
    boolean isEmulated() {
        return name.startsWith(EMULATOR);
    }

    /** Highest CUDA version that the driver supports, such as {@code 13.0}. */
    String driverVersion() {
        return version(driverVersion);
    }

    /** A version of CUDA as the driver gives it, such as 12060 for 12.6. */
    static String version(int number) {
        return number / 1000 + "." + number % 1000 / 10;
    }

    /** 10 · major + minor, such as 90. */
    int computeCapability() {
        return computeCapability;
    }

    int multiprocessors() {
        return multiprocessors;
    }

    /** Free and total bytes of memory. */
    long[] memory() {
        use();
        long[] free = new long[1];
        long[] total = new long[1];
        CudaException.check(JCudaDriver.cuMemGetInfo(free, total), "cuMemGetInfo");
        return new long[] {free[0], total[0]};
    }

    /** Makes the context current on the calling thread. */
    void use() {
        CudaException.check(JCudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent", name);
    }

    /**
     * The kernel {@code name} of {@code kernels/<family>.cu}; the calling thread uses this device.
     *
     * @throws KernelMissingException if it is not in the module, or if the module cannot be had
     */
    CUfunction kernel(String family, String name) {
        CUfunction known = functions.get(name);
        return known != null ? known : functions.computeIfAbsent(name, key -> load(family, key));
    }

    private CUfunction load(String family, String kernel) {
        CUmodule module = modules.computeIfAbsent(family, this::loadModule);
        CUfunction function = new CUfunction();
        int result = JCudaDriver.cuModuleGetFunction(function, module, kernel);
        if (result == CUresult.CUDA_ERROR_NOT_FOUND) {
            throw new KernelMissingException("kernel " + kernel + " is missing from the module " + family
                    + "; the kernels are of another version than this program: build both again");
        }
        CudaException.check(result, "cuModuleGetFunction", "kernel " + kernel);
        int[] fixed = new int[1];
        CudaException.check(
                JCudaDriver.cuFuncGetAttribute(
                        fixed, CUfunction_attribute.CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, function),
                "cuFuncGetAttribute",
                "kernel " + kernel);
        int most = sharedBytesPerBlock - fixed[0];
        if (most > DEFAULT_SHARED_BYTES) {
            CudaException.check(
                    JCudaDriver.cuFuncSetAttribute(
                            function, CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, most),
                    "cuFuncSetAttribute",
                    "kernel " + kernel);
        }
        return function;
    }

    private CUmodule loadModule(String family) {
        CUmodule module = new CUmodule();
        int result = JCudaDriver.cuModuleLoadData(module, image(family));
        switch (result) {
            case CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU,
                    CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
                    CUresult.CUDA_ERROR_INVALID_PTX,
                    CUresult.CUDA_ERROR_INVALID_IMAGE ->
                throw new KernelMissingException("the kernels of this build do not run on " + name
                        + " (compute capability " + computeCapability / 10 + "." + computeCapability % 10
                        + ", driver for CUDA " + driverVersion() + "): " + CUresult.stringFor(result)
                        + "; update the NVIDIA driver, or build Sapwood with nvcc for this device");
            default -> CudaException.check(result, "cuModuleLoadData", "module " + family);
        }
        return module;
    }

    private byte[] image(String family) {
        if (isEmulated()) {
            return ("sapwood-emulator:" + family + "\0").getBytes(StandardCharsets.UTF_8);
        }
        byte[] image = fatbin(family);
        if (image == null) {
            throw new KernelMissingException(NO_KERNELS);
        }
        return image;
    }

    /** What a build without GPU kernels lacks. */
    static final String NO_KERNELS = "this build has no GPU kernels, since nvcc was not there when it was made; install"
            + " the CUDA toolkit 13 and build again";

    /** The compiled kernels of a family, or null if this build has none. */
    static byte @Nullable [] fatbin(String family) {
        try (InputStream in = CudaDevice.class.getResourceAsStream("kernels/" + family + ".fatbin")) {
            return in == null ? null : in.readAllBytes();
        } catch (IOException e) {
            throw new KernelMissingException("cannot read the kernels of " + family + ": " + e.getMessage());
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
