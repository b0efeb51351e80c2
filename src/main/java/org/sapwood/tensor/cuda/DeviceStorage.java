package org.sapwood.tensor.cuda;

import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.sapwood.tensor.OutOfDeviceMemoryException;
import org.sapwood.tensor.Storage;

/** Memory on the device. It is released with the backend that allocated it. */
final class DeviceStorage extends CUdeviceptr implements Storage {
    private final int size;

    private DeviceStorage(int size) {
        this.size = size;
    }

    /**
     * Takes {@code elements} floats, not initialised.
     *
     * @throws OutOfDeviceMemoryException if the device has not that much memory left
     */
    static DeviceStorage allocate(CudaDevice device, int elements) {
        DeviceStorage storage = new DeviceStorage(elements);
        long bytes = Math.max(1, elements) * (long) Float.BYTES;
        int result = JCudaDriver.cuMemAlloc(storage, bytes);
        if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
            throw new OutOfDeviceMemoryException(device.name(), bytes, device.memory()[0]);
        }
        CudaException.check(result, "cuMemAlloc", bytes + " bytes");
        return storage;
    }

    @Override
    public int size() {
        return size;
    }

    /** The device address of the first element. */
    long address() {
        return getNativePointer();
    }

    void free() {
        CudaException.check(JCudaDriver.cuMemFree(this), "cuMemFree");
    }
}
