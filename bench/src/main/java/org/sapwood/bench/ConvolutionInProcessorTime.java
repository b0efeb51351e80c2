package org.sapwood.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/**
 * 3×3 convolutions of stride 1 on the SIMD backend, forward and both gradients, in the format of {@code
 * peers/conv_torch.py} and, like it, in processor time. GFLOP/s are those of the direct algorithm, whatever is computed.
 * Weight gradients are one per image, as private training needs them.
 */
public final class ConvolutionInProcessorTime {
    private static final int REPEATS = 15;
    private static final double FLOPS_PER_REPEAT = 2e9;

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private ConvolutionInProcessorTime() {}

    /** The batch, then shapes: edge × input channels × output channels, such as {@code 28x32x32}. */
    public static void main(String[] arguments) {
        Backend backend = Backends.choose("simd").open();
        int batch = Integer.parseInt(arguments[0]);
        for (String shape : Arrays.copyOfRange(arguments, 1, arguments.length)) {
            String[] extents = shape.split("x");
            int edge = Integer.parseInt(extents[0]);
            int in = Integer.parseInt(extents[1]);
            int out = Integer.parseInt(extents[2]);
            ConvGeometry geometry = ConvGeometry.same(edge, edge, in, out, 3);
            double flops = 2.0 * geometry.weightSize() * geometry.outTokens() * batch;
            int times = (int) Math.max(3, Math.round(FLOPS_PER_REPEAT / flops));
            calls(backend, geometry, batch).forEach((name, call) -> {
                double seconds = median(call, times);
                System.out.printf(
                        Locale.ROOT,
                        "%s %s: %.1f us/image, %.1f GFLOP/s%n",
                        shape,
                        name,
                        seconds / batch * 1e6,
                        flops / seconds * 1e-9);
            });
        }
    }

    private static Map<String, Runnable> calls(Backend backend, ConvGeometry geometry, int batch) {
        Samples samples = new Samples(backend);
        Tensor x = samples.normal(batch, geometry.inTokens(), geometry.inChannels());
        Tensor weight = samples.normal(3, 3, geometry.inChannels(), geometry.outChannels());
        Tensor y = samples.normal(batch, geometry.outTokens(), geometry.outChannels());
        Tensor dx = samples.normal(batch, geometry.inTokens(), geometry.inChannels());
        GradientRows gradient = new GradientRows(samples.normal(batch, geometry.weightSize()), 0, 1, false);
        Map<String, Runnable> calls = new LinkedHashMap<>();
        calls.put("forward", () -> backend.conv2d(x, weight, null, geometry, y));
        calls.put("inputGradient", () -> backend.conv2dBackwardInput(y, weight, geometry, dx, false));
        calls.put("weightGradient", () -> backend.convWeightGradient(x, y, geometry, gradient));
        return calls;
    }

    private static double median(Runnable call, int times) {
        for (int i = 0; i < 3 * times; i++) {
            call.run();
        }
        double[] seconds = new double[REPEATS];
        for (int repeat = 0; repeat < REPEATS; repeat++) {
            long start = THREADS.getCurrentThreadCpuTime();
            for (int i = 0; i < times; i++) {
                call.run();
            }
            seconds[repeat] = (THREADS.getCurrentThreadCpuTime() - start) * 1e-9 / times;
        }
        Arrays.sort(seconds);
        return seconds[REPEATS / 2];
    }
}
