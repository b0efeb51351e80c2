package org.sapwood.tensor.cuda;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/**
 * The launch of a kernel: arguments in the order of its parameters, then the geometry. One object serves all launches of
 * a stream and allocates nothing: each argument has a slot of eight bytes outside the heap, beside a table of the slots'
 * addresses, which is what the driver reads.
 */
final class Launch {
    private static final int MAX_SLOTS = 64;

    private final CudaStream stream;
    private final CUstream driverStream;
    private final @Nullable LaunchProfile profile;
    private final ByteBuffer slots =
            ByteBuffer.allocateDirect(MAX_SLOTS * Long.BYTES).order(ByteOrder.nativeOrder());
    private final ByteBuffer table =
            ByteBuffer.allocateDirect(MAX_SLOTS * Long.BYTES).order(ByteOrder.nativeOrder());
    private final long slotsAddress = MemorySegment.ofBuffer(slots).address();
    private final Pointer parameters = Pointer.toBuffer(table);

    private @Nullable CUfunction function;
    private String name = "";
    private int slot;
    private int arguments;

    Launch(CudaStream stream, CUstream driverStream, @Nullable LaunchProfile profile) {
        this.stream = stream;
        this.driverStream = driverStream;
        this.profile = profile;
    }

    /** Starts over for another kernel. */
    Launch of(CUfunction newFunction, String newName) {
        function = newFunction;
        name = newName;
        slot = 0;
        arguments = 0;
        return this;
    }

    private int argument(int slotsNeeded) {
        int first = slot;
        table.putLong(arguments++ * Long.BYTES, slotsAddress + (long) first * Long.BYTES);
        slot += slotsNeeded;
        return first * Long.BYTES;
    }

    /** A pointer to the first element of a tensor; null stays null. */
    Launch tensor(@Nullable Tensor tensor) {
        return address(tensor == null ? 0 : stream.address(tensor));
    }

    /** A device address. */
    Launch address(long address) {
        slots.putLong(argument(1), address);
        return this;
    }

    /** A {@code Rows}. */
    Launch rows(GradientRows rows) {
        int at = argument(3);
        slots.putLong(at, stream.address(rows.matrix()) + (long) rows.column() * Float.BYTES);
        slots.putLong(at + Long.BYTES, rows.matrix().dim(1));
        slots.putInt(at + 2 * Long.BYTES, rows.samplesPerRow());
        slots.putInt(at + 2 * Long.BYTES + Integer.BYTES, rows.accumulate() ? 1 : 0);
        return this;
    }

    /** An {@code int}. */
    Launch i32(int value) {
        slots.putInt(argument(1), value);
        return this;
    }

    /** An {@code int} that is 0 or 1. */
    Launch flag(boolean value) {
        return i32(value ? 1 : 0);
    }

    /** A {@code long long}. */
    Launch i64(long value) {
        slots.putLong(argument(1), value);
        return this;
    }

    /** A {@code float}. */
    Launch f32(float value) {
        slots.putFloat(argument(1), value);
        return this;
    }

    /** A {@code double}. */
    Launch f64(double value) {
        slots.putDouble(argument(1), value);
        return this;
    }

    /** Launches enough blocks for one thread per item, at most 2³¹ − 1 of them; does nothing without items. */
    void overItems(long items, int threads) {
        if (items > 0) {
            grid(Math.toIntExact(Math.ceilDiv(items, (long) threads)), 1, 1, threads, 0);
        }
    }

    /** Launches x blocks of one dimension. */
    void blocks(int x, int threads) {
        grid(x, 1, 1, threads, 0);
    }

    /**
     * Launches; does nothing if the grid is empty.
     *
     * @param x blocks, up to 2³¹ − 1
     * @param y blocks, up to 65,535
     * @param z blocks, up to 65,535
     * @param threads per block, up to 1024
     * @param sharedBytes of dynamic shared memory per block
     */
    void grid(int x, int y, int z, int threads, int sharedBytes) {
        if (x == 0 || y == 0 || z == 0) {
            return;
        }
        if (profile != null) {
            profile.begin(name + " " + x + "x" + y + "x" + z);
        }
        int result = JCudaDriver.cuLaunchKernel(
                function, x, y, z, threads, 1, 1, sharedBytes, driverStream, parameters, null);
        if (result != CUresult.CUDA_SUCCESS) {
            if (profile != null) {
                profile.abandon();
            }
            throw CudaException.of(
                    result,
                    "cuLaunchKernel",
                    "kernel " + name + ", grid " + x + "x" + y + "x" + z + ", " + threads + " threads, " + sharedBytes
                            + " bytes of shared memory");
        }
        if (profile != null) {
            profile.end();
        }
    }
}
