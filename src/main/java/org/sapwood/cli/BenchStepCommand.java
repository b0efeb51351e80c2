package org.sapwood.cli;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.sapwood.io.HostFacts;
import org.sapwood.nn.UNetConfig;
import org.sapwood.synthesis.StepWorkload;
import org.sapwood.tensor.BackendChoice;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sapwood bench step}: the time of whole training steps. */
@Command(
        name = "step",
        header = "Time whole training steps on random images.",
        description = {
            "",
            "A step includes draws, forward, backward, Adam and averaged weights; a private one also clip, exact sum"
                    + " and noise. Prints the median after warm-up, the peak memory of the process, and the bytes that all"
                    + " threads allocate per step.",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class BenchStepCommand implements Callable<Integer> {
    /** Classes of the reference models: ten and none. */
    private static final int CLASSES = 11;

    private static final int LEAST_STEPS = 3;

    /** The compiler needs this many even where they take longer than asked for. */
    private static final int LEAST_WARM_UP_STEPS = 10;

    /** A step that takes longer is not repeated for the sake of a number. */
    private static final double LONG_MILLIS = 10_000;

    /** On a device; the host then runs ahead of it as in training. */
    private static final int STEPS_TOGETHER = 8;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Option(
            names = "--config",
            defaultValue = "unet28",
            paramLabel = "MODEL",
            description = "unet28, unet28x, unet32 or a diffusers config.json (default: ${DEFAULT-VALUE}).")
    private String config;

    @Option(
            names = "--mode",
            defaultValue = "private",
            paramLabel = "MODE",
            description = "forward, non-private, private, lora-non-private or lora-private (rank 4 on all attention"
                    + " projections) (default: ${DEFAULT-VALUE}).")
    private StepWorkload.Mode mode;

    @Option(
            names = "--batch",
            defaultValue = "64",
            paramLabel = "B",
            description = "Images per step, >= 1 (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--micro-batch",
            defaultValue = "0",
            paramLabel = "M",
            description =
                    "Images that a worker takes at a time; 0 takes 8 on the host and, on a GPU, as many as suit its"
                            + " memory, up to 256 (default: ${DEFAULT-VALUE}).")
    private int microBatch;

    @Option(
            names = "--seconds",
            defaultValue = "10",
            paramLabel = "S",
            description = "How long to measure, after a warm-up of the same length, > 0 (default: ${DEFAULT-VALUE}).")
    private double seconds;

    /**
     * What was measured.
     *
     * @param millis of each step
     * @param allocatedPerStep bytes by all threads
     */
    private record Measurement(double[] millis, double allocatedPerStep) {
        double median() {
            double[] sorted = millis.clone();
            Arrays.sort(sorted);
            int middle = sorted.length / 2;
            return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        }
    }

    @Override
    public Integer call() {
        common.check()
                .atLeast("--batch", 1, batch)
                .atLeast("--micro-batch", 0, microBatch)
                .positive("--seconds", seconds);
        int threads = common.threads();
        UNetConfig model = switch (config) {
            case "unet28" -> UNetConfig.unet28(CLASSES);
            case "unet28x" -> UNetConfig.unet28x(CLASSES);
            case "unet32" -> UNetConfig.unet32(CLASSES);
            default -> UNetConfig.read(Path.of(config));
        };
        BackendChoice backend = common.backend();
        Measurement measurement;
        try (StepWorkload workload = new StepWorkload(model, mode, batch, microBatch, backend, threads)) {
            common.note("warming up");
            measure(workload, LEAST_WARM_UP_STEPS);
            common.note("measuring");
            measurement = measure(workload, LEAST_STEPS);
        }
        double perImage = measurement.median() / batch;
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("ms_per_image", perImage);
        data.put("images_per_s", 1e3 / perImage);
        data.put("peak_rss_mib", HostFacts.peakResidentMib().orElse(0L));
        data.put("allocated_bytes_per_step", Math.round(measurement.allocatedPerStep()));
        data.put("steps", measurement.millis().length);
        data.put("config", config);
        data.put("mode", ChoiceConverter.name(mode));
        data.put("batch", batch);
        data.put("micro_batch", microBatch);
        data.put("threads", threads);
        data.put("backend", backend.name());
        data.put("backend_description", backend.description());
        data.put("cpu", HostFacts.collect().cpu());
        data.put("jdk", HostFacts.collect().jdk());
        String text = String.format(
                Locale.ROOT,
                "%.2f ms per image, %.1f images/s, peak memory %d MiB, %d bytes allocated per step (median of %d"
                        + " steps)",
                perImage,
                1e3 / perImage,
                HostFacts.peakResidentMib().orElse(0L),
                Math.round(measurement.allocatedPerStep()),
                measurement.millis().length);
        common.result(data, List.of(text));
        return ExitCode.OK;
    }

    /**
     * Repeats the step for the time asked for, and some times at least unless it is a long one. On a device, where
     * a step returns before it is done, several are timed together and end with the device at rest.
     */
    private Measurement measure(StepWorkload workload, int leastSteps) {
        int together = workload.returnsEarly() ? STEPS_TOGETHER : 1;
        double[] millis = new double[64];
        int steps = 0;
        long allocatedBefore = allocatedBytes();
        long start = System.nanoTime();
        long before = start;
        while (before - start < seconds * 1e9 || (steps < leastSteps && millis[0] < LONG_MILLIS)) {
            for (int i = 0; i < together; i++) {
                workload.run();
            }
            workload.synchronize();
            long now = System.nanoTime();
            if (steps == millis.length) {
                millis = Arrays.copyOf(millis, 2 * steps);
            }
            millis[steps++] = (now - before) * 1e-6 / together;
            before = now;
        }
        return new Measurement(
                Arrays.copyOf(millis, steps), (double) (allocatedBytes() - allocatedBefore) / steps / together);
    }

    /** Bytes allocated on the heap so far by all threads of the process, 0 where the JVM does not count them. */
    private static long allocatedBytes() {
        return ManagementFactory.getThreadMXBean() instanceof com.sun.management.ThreadMXBean bean
                ? bean.getTotalThreadAllocatedBytes()
                : 0;
    }
}
