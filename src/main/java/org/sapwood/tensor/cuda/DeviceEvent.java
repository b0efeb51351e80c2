package org.sapwood.tensor.cuda;

import jcuda.driver.CUevent;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/** A point in a stream's work, to wait for or to take the time of. */
final class DeviceEvent implements AutoCloseable {
    private static final int WITH_TIME = 0;

    /** {@code CU_EVENT_DISABLE_TIMING}. */
    private static final int WITHOUT_TIME = 2;

    private final CUevent event = new CUevent();

    private DeviceEvent(int flags) {
        CudaException.check(JCudaDriver.cuEventCreate(event, flags), "cuEventCreate");
    }

    static DeviceEvent withTime() {
        return new DeviceEvent(WITH_TIME);
    }

    static DeviceEvent withoutTime() {
        return new DeviceEvent(WITHOUT_TIME);
    }

    /** Becomes the point that all work given to the stream so far leads to. */
    void record(CUstream stream) {
        CudaException.check(JCudaDriver.cuEventRecord(event, stream), "cuEventRecord");
    }

    /** Waits for the point; returns at once if none was recorded. */
    void await() {
        CudaException.check(JCudaDriver.cuEventSynchronize(event), "cuEventSynchronize");
    }

    /** Milliseconds from this point to a later one that the device has reached. */
    float millisUntil(DeviceEvent later) {
        float[] millis = new float[1];
        CudaException.check(JCudaDriver.cuEventElapsedTime(millis, event, later.event), "cuEventElapsedTime");
        return millis[0];
    }

    @Override
    public void close() {
        CudaException.check(JCudaDriver.cuEventDestroy(event), "cuEventDestroy");
    }
}
