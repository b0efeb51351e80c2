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

/** Multi-head self-attention, forward and backward, for a micro-batch of four images. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 7, time = 1)
@Fork(1)
public class AttentionBenchmark {
    private static final int BATCH = 4;

    @Param({"simd", "scalar"})
    public String backend;

    /** Tokens × heads × width of a head: unet28 at 7×7, unet32 at 8×8 and 16×16. */
    @Param({"49x4x16", "64x4x32", "256x4x32"})
    public String shape;

    private Backend device;
    private int heads;
    private Tensor q;
    private Tensor k;
    private Tensor v;
    private Tensor logSumExp;
    private Tensor y;
    private Tensor dy;
    private Tensor dq;
    private Tensor dk;
    private Tensor dv;

    @Setup
    public void setUp() {
        device = Backends.choose(backend).open();
        Samples samples = new Samples(device);
        String[] parts = shape.split("x");
        int tokens = Integer.parseInt(parts[0]);
        heads = Integer.parseInt(parts[1]);
        int channels = heads * Integer.parseInt(parts[2]);
        q = samples.normal(BATCH, tokens, channels);
        k = samples.normal(BATCH, tokens, channels);
        v = samples.normal(BATCH, tokens, channels);
        logSumExp = samples.normal(BATCH, heads, tokens);
        y = samples.normal(BATCH, tokens, channels);
        dy = samples.normal(BATCH, tokens, channels);
        dq = samples.normal(BATCH, tokens, channels);
        dk = samples.normal(BATCH, tokens, channels);
        dv = samples.normal(BATCH, tokens, channels);
        device.attention(q, k, v, heads, logSumExp, y);
    }

    @Benchmark
    public Tensor forward() {
        device.attention(q, k, v, heads, logSumExp, y);
        return y;
    }

    @Benchmark
    public Tensor backward() {
        device.attentionBackward(q, k, v, heads, logSumExp, y, dy, dq, false, dk, false, dv, false);
        return dq;
    }
}
