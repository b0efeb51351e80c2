package org.sapwood.tensor.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;

/** Page-locked host memory, which the device copies from and to while the host goes on. */
final class PinnedMemory implements AutoCloseable {
    private final Pointer pointer = new Pointer();
    private final MemorySegment segment;

    /** @param bytes ≥ 1 */
    PinnedMemory(long bytes) {
        CudaException.check(JCudaDriver.cuMemAllocHost(pointer, bytes), "cuMemAllocHost", bytes + " bytes");
        segment = MemorySegment.ofBuffer(pointer.getByteBuffer(0, bytes));
    }

    MemorySegment segment() {
        return segment;
    }

    Pointer at(long offset) {
        return pointer.withByteOffset(offset);
    }

    @Override
    public void close() {
        CudaException.check(JCudaDriver.cuMemFreeHost(pointer), "cuMemFreeHost");
    }
}
