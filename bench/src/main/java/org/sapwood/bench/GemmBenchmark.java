package org.sapwood.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.Tensor;

/**
 * C = A·B in float32. The first shape is the one compared with OpenBLAS; the others are products of the UNets, M being
 * pixels of a micro-batch and K the window of a 3×3 convolution or the width of a linear layer.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 7, time = 1)
@Fork(1)
public class GemmBenchmark {
    @Param({"simd", "scalar"})
    public String backend;

    /** M × N × K. */
    @Param({"1024x1024x1024", "256x256x256", "784x32x288", "784x64x576", "196x64x576", "49x64x576", "49x64x64"})
    public String shape;

    private Backend device;
    private Tensor a;
    private Tensor b;
    private Tensor c;

    @Setup
    public void setUp() {
        device = Backends.choose(backend).open();
        Samples samples = new Samples(device);
        String[] extents = shape.split("x");
        int m = Integer.parseInt(extents[0]);
        int n = Integer.parseInt(extents[1]);
        int k = Integer.parseInt(extents[2]);
        a = samples.normal(m, k);
        b = samples.normal(k, n);
        c = samples.normal(m, n);
    }

    @Benchmark
    public Tensor product() {
        device.matmul(a, false, b, false, 1f, c, false);
        return c;
    }
}
