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

/** GroupNorm with SiLU in eight groups, forward and both gradients, for a micro-batch of four images. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 7, time = 1)
@Fork(1)
public class GroupNormBenchmark {
    private static final int BATCH = 4;
    private static final int GROUPS = 8;

    @Param({"simd", "scalar"})
    public String backend;

    /** Pixels × channels. */
    @Param({"784x32", "784x96", "196x64", "49x64"})
    public String shape;

    private Backend device;
    private Tensor x;
    private Tensor gamma;
    private Tensor beta;
    private Tensor statistics;
    private Tensor y;
    private Tensor dy;
    private Tensor dx;
    private GradientRows gammaGradient;
    private GradientRows betaGradient;

    @Setup
    public void setUp() {
        device = Backends.choose(backend).open();
        Samples samples = new Samples(device);
        String[] parts = shape.split("x");
        int tokens = Integer.parseInt(parts[0]);
        int channels = Integer.parseInt(parts[1]);
        x = samples.normal(BATCH, tokens, channels);
        gamma = samples.normal(channels);
        beta = samples.normal(channels);
        statistics = samples.normal(BATCH, GROUPS, 2);
        y = samples.normal(BATCH, tokens, channels);
        dy = samples.normal(BATCH, tokens, channels);
        dx = samples.normal(BATCH, tokens, channels);
        Tensor rows = samples.normal(BATCH, 2 * channels);
        gammaGradient = new GradientRows(rows, 0, 1, false);
        betaGradient = new GradientRows(rows, channels, 1, false);
        device.groupNorm(x, gamma, beta, GROUPS, 1e-5f, true, statistics, y);
    }

    @Benchmark
    public Tensor forward() {
        device.groupNorm(x, gamma, beta, GROUPS, 1e-5f, true, statistics, y);
        return y;
    }

    @Benchmark
    public Tensor inputGradient() {
        device.groupNormBackwardInput(x, gamma, beta, GROUPS, true, statistics, dy, dx, false);
        return dx;
    }

    /** One gradient per image. */
    @Benchmark
    public GradientRows parameterGradients() {
        device.groupNormParameterGradient(x, gamma, beta, GROUPS, true, statistics, dy, gammaGradient, betaGradient);
        return gammaGradient;
    }
}
