package org.sapwood.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.sapwood.nn.UNetConfig;
import org.sapwood.synthesis.StepWorkload;
import org.sapwood.tensor.Backends;

/** A whole step of 64 images of {@code unet28}, as the trainers run it. Divide by 64 for the time per image. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 8)
@Measurement(iterations = 10)
@Fork(1)
public class StepBenchmark {
    private static final int CLASSES = 11;
    private static final int BATCH = 64;

    @Param({"simd", "scalar"})
    public String backend;

    @Param({"FORWARD", "NON_PRIVATE", "PRIVATE", "LORA_NON_PRIVATE", "LORA_PRIVATE"})
    public StepWorkload.Mode mode;

    @Param({"1", "2"})
    public int threads;

    @Param("8")
    public int microBatch;

    private StepWorkload workload;

    @Setup(Level.Trial)
    public void setUp() {
        workload = new StepWorkload(
                UNetConfig.unet28(CLASSES), mode, BATCH, microBatch, Backends.choose(backend), threads);
    }

    @TearDown(Level.Trial)
    public void tearDown() {
        workload.close();
    }

    @Benchmark
    public void step() {
        workload.run();
    }
}
