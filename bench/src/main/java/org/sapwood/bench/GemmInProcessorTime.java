package org.sapwood.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.Locale;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.Tensor;

/**
 * Median GFLOP/s of the SIMD backend's C = A·B for the sizes given, in the format of {@code peers/openblas_gemm.c} and, like
 * it, in processor time, so that the two compare on a machine that others use too.
 */
public final class GemmInProcessorTime {
    private static final int REPEATS = 41;
    private static final double FLOPS_PER_REPEAT = 5e8;
    private static final double WARMUP_SECONDS = 3;

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private GemmInProcessorTime() {}

    /** Each argument is M × N × K, such as {@code 784x32x288}. */
    public static void main(String[] shapes) {
        Backend backend = Backends.choose("simd").open();
        for (String shape : shapes) {
            String[] extents = shape.split("x");
            int m = Integer.parseInt(extents[0]);
            int n = Integer.parseInt(extents[1]);
            int k = Integer.parseInt(extents[2]);
            System.out.printf(Locale.ROOT, "%s %.1f GFLOP/s%n", shape, gigaflops(backend, m, n, k));
        }
    }

    private static double gigaflops(Backend backend, int m, int n, int k) {
        Samples samples = new Samples(backend);
        Tensor a = samples.normal(m, k);
        Tensor b = samples.normal(k, n);
        Tensor c = samples.normal(m, n);
        double flops = 2.0 * m * n * k;
        int inner = (int) (FLOPS_PER_REPEAT / flops) + 1;
        double warm = 0;
        while (warm < WARMUP_SECONDS) {
            warm += seconds(backend, a, b, c, 1);
        }
        double[] seconds = new double[REPEATS];
        for (int i = 0; i < REPEATS; i++) {
            seconds[i] = seconds(backend, a, b, c, inner) / inner;
        }
        Arrays.sort(seconds);
        return flops / seconds[REPEATS / 2] * 1e-9;
    }

    private static double seconds(Backend backend, Tensor a, Tensor b, Tensor c, int times) {
        long start = THREADS.getCurrentThreadCpuTime();
        for (int i = 0; i < times; i++) {
            backend.matmul(a, false, b, false, 1f, c, false);
        }
        return (THREADS.getCurrentThreadCpuTime() - start) * 1e-9;
    }
}
