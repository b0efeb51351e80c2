package org.sapwood.tensor.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Copies between Java arrays and the device by way of page-locked memory: the driver never sees a heap array, which
 * would have to be pinned for the whole copy. Uploads return as soon as the array may be reused. They pass through a ring
 * of two halves; a half is written again only when the copies from it are done. What is larger than a half goes in parts.
 */
final class Staging implements AutoCloseable {
    private static final long HALF = 8L << 20;
    private static final long ALIGNMENT = 64;

    private final CUstream stream;
    private final PinnedMemory ring = new PinnedMemory(2 * HALF);
    private final DeviceEvent[] left = {DeviceEvent.withoutTime(), DeviceEvent.withoutTime()};
    private int half;
    private long used;

    Staging(CUstream stream) {
        this.stream = stream;
    }

    /** Copies {@code count} floats from {@code source[from…]} to a device address. */
    void upload(float[] source, int from, int count, long target) {
        upload(MemorySegment.ofArray(source), (long) from * Float.BYTES, (long) count * Float.BYTES, target);
    }

    /** Copies all of {@code source} to a device address. */
    void upload(int[] source, long target) {
        upload(MemorySegment.ofArray(source), 0, (long) source.length * Integer.BYTES, target);
    }

    /** Copies {@code count} values from {@code source[from…]} to a device address. */
    void upload(long[] source, int from, int count, long target) {
        upload(MemorySegment.ofArray(source), (long) from * Long.BYTES, (long) count * Long.BYTES, target);
    }

    /** Copies all of {@code source} to a device address. */
    void upload(double[] source, long target) {
        upload(MemorySegment.ofArray(source), 0, (long) source.length * Double.BYTES, target);
    }

    private void upload(MemorySegment source, long from, long bytes, long target) {
        for (long done = 0; done < bytes; done += HALF) {
            long part = Math.min(HALF, bytes - done);
            long at = reserve(part);
            MemorySegment.copy(source, from + done, ring.segment(), at, part);
            CudaException.check(
                    JCudaDriver.cuMemcpyHtoDAsync(DeviceAddress.of(target + done), ring.at(at), part, stream),
                    "cuMemcpyHtoDAsync",
                    part + " bytes");
        }
    }

    /** Waits for the device and copies {@code count} floats from a device address to {@code target[to…]}. */
    void download(long source, int count, float[] target, int to) {
        download(source, (long) count * Float.BYTES, MemorySegment.ofArray(target), (long) to * Float.BYTES);
    }

    /** Waits for the device and copies {@code count} values from a device address to {@code target[to…]}. */
    void download(long source, int count, long[] target, int to) {
        download(source, (long) count * Long.BYTES, MemorySegment.ofArray(target), (long) to * Long.BYTES);
    }

    /** Waits for the device and copies {@code count} values to {@code target[0…]}. */
    void download(long source, int count, double[] target) {
        download(source, (long) count * Double.BYTES, MemorySegment.ofArray(target), 0);
    }

    private void download(long source, long bytes, MemorySegment target, long to) {
        for (long done = 0; done < bytes; done += HALF) {
            long part = Math.min(HALF, bytes - done);
            long at = reserve(part);
            CudaException.check(
                    JCudaDriver.cuMemcpyDtoHAsync(ring.at(at), DeviceAddress.of(source + done), part, stream),
                    "cuMemcpyDtoHAsync",
                    part + " bytes");
            CudaException.check(JCudaDriver.cuStreamSynchronize(stream), "cuStreamSynchronize");
            MemorySegment.copy(ring.segment(), at, target, to + done, part);
        }
    }

    /** A place in the ring, waiting for earlier copies from it if need be. */
    private long reserve(long bytes) {
        if (used + bytes > HALF) {
            left[half].record(stream);
            half = 1 - half;
            used = 0;
            left[half].await();
        }
        long at = half * HALF + used;
        used += Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
        return at;
    }

    @Override
    public void close() {
        for (DeviceEvent event : left) {
            event.close();
        }
        ring.close();
    }
}
