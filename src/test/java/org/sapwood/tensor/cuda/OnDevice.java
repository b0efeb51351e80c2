package org.sapwood.tensor.cuda;

import static org.junit.jupiter.api.Assumptions.abort;

import java.util.Arrays;
import org.sapwood.tensor.Backends;

/** A stream for tests of single kernels, and arrays on its device. */
final class OnDevice {
    private static final String REQUIRED = "SAPWOOD_REQUIRE_BACKENDS";

    private OnDevice() {}

    /** A stream in float32; skips the test where no device can run, or fails if it is required. */
    static CudaStream stream() {
        String reason = Backends.unavailable("cuda");
        if (reason == null) {
            return new CudaStream(CudaDriver.device(), Precision.FP32);
        }
        if (Arrays.asList(System.getenv().getOrDefault(REQUIRED, "").split(",")).contains("cuda")) {
            throw new AssertionError("cuda: " + reason + " (required by " + REQUIRED + ")");
        }
        return abort("cuda: " + reason);
    }

    static long floats(CudaStream stream, float... values) {
        long address = stream.allocate(values.length).address();
        stream.staging().upload(values, 0, values.length, address);
        return address;
    }

    static long ints(CudaStream stream, int... values) {
        long address = stream.allocate(values.length).address();
        stream.staging().upload(values, address);
        return address;
    }

    static long longs(CudaStream stream, long... values) {
        long address = stream.allocate(2 * values.length).address();
        stream.staging().upload(values, 0, values.length, address);
        return address;
    }

    static long doubles(CudaStream stream, double... values) {
        long address = stream.allocate(2 * values.length).address();
        stream.staging().upload(values, address);
        return address;
    }

    static float[] readFloats(CudaStream stream, long address, int count) {
        float[] values = new float[count];
        stream.staging().download(address, count, values, 0);
        return values;
    }

    static double[] readDoubles(CudaStream stream, long address, int count) {
        double[] values = new double[count];
        stream.staging().download(address, count, values);
        return values;
    }

    static long[] readLongs(CudaStream stream, long address, int count) {
        long[] values = new long[count];
        stream.staging().download(address, count, values, 0);
        return values;
    }
}
