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
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/** 3×3 convolution, forward and both gradients, for a micro-batch of four images. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 7, time = 1)
@Fork(1)
public class ConvolutionBenchmark {
    private static final int BATCH = 4;

    @Param({"simd", "scalar"})
    public String backend;

    /** Image edge × input channels × output channels × stride. */
    @Param({
        "28x32x32x1",
        "28x96x32x1",
        "28x32x1x1",
        "28x32x32x2",
        "14x64x64x1",
        "14x128x64x1",
        "7x64x64x1",
        "16x128x128x1"
    })
    public String shape;

    private Backend device;
    private ConvGeometry geometry;
    private Tensor x;
    private Tensor weight;
    private Tensor bias;
    private Tensor y;
    private Tensor dx;
    private GradientRows gradient;

    @Setup
    public void setUp() {
        device = Backends.choose(backend).open();
        Samples samples = new Samples(device);
        String[] parts = shape.split("x");
        int edge = Integer.parseInt(parts[0]);
        int in = Integer.parseInt(parts[1]);
        int out = Integer.parseInt(parts[2]);
        geometry = new ConvGeometry(edge, edge, in, out, 3, Integer.parseInt(parts[3]), 1, 1);
        x = samples.normal(BATCH, geometry.inTokens(), in);
        weight = samples.normal(3, 3, in, out);
        bias = samples.normal(out);
        y = samples.normal(BATCH, geometry.outTokens(), out);
        dx = samples.normal(BATCH, geometry.inTokens(), in);
        gradient = new GradientRows(samples.normal(BATCH, geometry.weightSize()), 0, 1, false);
    }

    @Benchmark
    public Tensor forward() {
        device.conv2d(x, weight, bias, geometry, y);
        return y;
    }

    @Benchmark
    public Tensor inputGradient() {
        device.conv2dBackwardInput(y, weight, geometry, dx, false);
        return dx;
    }

    /** One gradient per image. */
    @Benchmark
    public GradientRows weightGradients() {
        device.convWeightGradient(x, y, geometry, gradient);
        return gradient;
    }
}
