package org.sapwood.tensor.cuda;

import java.util.Set;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.sapwood.tensor.DeviceException;
import org.sapwood.tensor.OutOfDeviceMemoryException;

/** A driver call failed; the message names the call, its result and what it was about. */
public final class CudaException extends DeviceException {
    private static final long serialVersionUID = 1;

    /** What a kernel dies of. The device tells it to whichever call comes after, which need not be the one to blame. */
    private static final Set<Integer> OF_A_KERNEL = Set.of(
            CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
            CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
            CUresult.CUDA_ERROR_ASSERT,
            CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR,
            CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION,
            CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
            CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE,
            CUresult.CUDA_ERROR_INVALID_PC,
            CUresult.CUDA_ERROR_LAUNCH_FAILED);

    private final int result;

    private CudaException(int result, String call, String about) {
        super(call + " failed: " + CUresult.stringFor(result) + (about.isEmpty() ? "" : " (" + about + ")")
                + (OF_A_KERNEL.contains(result)
                        ? "; the culprit may be an earlier kernel, which CUDA_LAUNCH_BLOCKING=1 SAPWOOD_JAVA_OPTS=-D"
                                + LaunchProfile.PROPERTY + "=true would name"
                        : ""));
        this.result = result;
    }

    /** The driver's {@code CUresult}. */
    public int result() {
        return result;
    }

    /**
     * Throws unless a call succeeded.
     *
     * @param result what the call returned
     * @param call its name
     * @param about kernel, sizes, or whatever else tells one such call from another
     * @throws OutOfDeviceMemoryException if it failed for want of memory
     */
    static void check(int result, String call, Object about) {
        if (result != CUresult.CUDA_SUCCESS) {
            throw of(result, call, about.toString());
        }
    }

    /** {@link #check(int, String, Object)} for calls that say everything by their name. */
    static void check(int result, String call) {
        check(result, call, "");
    }

    /** What {@link #check(int, String, Object)} throws, for where the text takes long to make. */
    static RuntimeException of(int result, String call, String about) {
        return result == CUresult.CUDA_ERROR_OUT_OF_MEMORY
                ? new OutOfDeviceMemoryException("the device's memory is full: " + call + " failed"
                        + (about.isEmpty() ? "" : " (" + about + ")"))
                : new CudaException(result, call, about);
    }

    /** JCuda then returns errors instead of throwing exceptions of its own that hide the call. */
    static void returnErrors() {
        JCudaDriver.setExceptionsEnabled(false);
    }
}
