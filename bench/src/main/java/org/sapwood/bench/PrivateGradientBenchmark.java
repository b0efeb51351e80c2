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
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/** What the private step does with per-example gradients: linear and adapter gradients, norms, exact sums on the grid. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 7, time = 1)
@Fork(1)
public class PrivateGradientBenchmark {
    private static final int BATCH = 4;
    private static final int TOKENS = 49;
    private static final int CHANNELS = 64;
    private static final int RANK = 4;

    /** Parameters of unet28. */
    private static final int COORDINATES = 1_114_209;

    @Param({"simd", "scalar"})
    public String backend;

    private Backend device;
    private Tensor x;
    private Tensor dy;
    private Tensor xa;
    private GradientRows weight;
    private GradientRows adapter;
    private Tensor rows;
    private final double[] norms = new double[BATCH];
    private final float[] scales = {1e6f, 1e6f, 1e6f, 1e6f};
    private final long[] sums = new long[COORDINATES];

    @Setup
    public void setUp() {
        device = Backends.choose(backend).open();
        Samples samples = new Samples(device);
        x = samples.normal(BATCH, TOKENS, CHANNELS);
        dy = samples.normal(BATCH, TOKENS, CHANNELS);
        xa = samples.normal(BATCH, TOKENS, RANK);
        weight = new GradientRows(samples.normal(BATCH, CHANNELS * CHANNELS), 0, 1, false);
        adapter = new GradientRows(samples.normal(BATCH, CHANNELS * RANK), 0, 1, false);
        rows = samples.normal(BATCH, COORDINATES);
    }

    /** A 64 × 64 projection at 7×7 pixels, one gradient per image. */
    @Benchmark
    public GradientRows linear() {
        device.weightGradient(x, dy, 1f, weight);
        return weight;
    }

    /** The outer factor of its rank-4 adapter, one gradient per image. */
    @Benchmark
    public GradientRows loraFactor() {
        device.weightGradient(xa, dy, 0.5f, adapter);
        return adapter;
    }

    /** Norms of four whole unet28 gradients. */
    @Benchmark
    public double[] norms() {
        device.squaredNorms(rows, 0, COORDINATES, norms);
        return norms;
    }

    /** Four whole unet28 gradients onto the int64 grid. */
    @Benchmark
    public long[] gridSums() {
        device.accumulateOnGrid(rows, 0, COORDINATES, scales, sums, 0);
        return sums;
    }
}
