package org.sapwood.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.AtomicFiles;
import org.sapwood.io.HostFacts;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;
import org.sapwood.nn.UNetConfig;
import org.sapwood.synthesis.StepWorkload;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Backends;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sapwood bench-gpu}: every kernel and whole steps on a GPU, beside the floor that the hardware gives. */
@Command(
        name = "bench-gpu",
        header = "Time every kernel and whole training steps on a GPU.",
        description = {
            "",
            "Each kernel is timed by the device's own clock on the shapes of unet32: the median of several replays of"
                    + " a CUDA graph. Beside it stand the bytes per second and operations per second that it reached, and"
                    + " the share of the floor: the time that the bytes at the copy bandwidth, or the operations at the"
                    + " peak rate, would take at least.",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class BenchGpuCommand implements Callable<Integer> {
    /** Classes of the reference models: ten and none. */
    private static final int CLASSES = 11;

    private static final int REPLAYS = 11;

    /** Replays that are timed together, so that launching them does not count. */
    private static final int TOGETHER = 5;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Option(
            names = "--batch",
            defaultValue = "512",
            paramLabel = "B",
            description = "Images per step, >= 1 (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--precisions",
            split = ",",
            defaultValue = "fp32,tf32,bf16",
            paramLabel = "P",
            description = "Which of fp32, tf32, bf16 (default: ${DEFAULT-VALUE}).")
    private List<String> precisions;

    @Option(
            names = "--steps",
            defaultValue = "20",
            paramLabel = "N",
            description = "Steps per measurement of whole steps, 0 to leave them out (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Option(
            names = "--kernels",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Measure single kernels (default: yes).")
    private boolean kernels;

    @Option(
            names = "--copy-bandwidth",
            defaultValue = "4.3",
            paramLabel = "TB/S",
            description = "Copy bandwidth of the device in TB/s, for the floor (default: ${DEFAULT-VALUE}, an H200).")
    private double copyBandwidth;

    @Option(
            names = "--peaks",
            split = ",",
            defaultValue = "60,400,790",
            paramLabel = "FP32,TF32,BF16",
            description =
                    "Dense TFLOP/s of the device by precision, for the floor (default: ${DEFAULT-VALUE}, an H200).")
    private List<Double> peaks;

    @Option(names = "--out", paramLabel = "FILE", description = "Write the figures to this file as JSON, too.")
    private @Nullable Path out;

    /** Names of the precisions in the order of {@code --peaks}. */
    private static final List<String> PRECISIONS = List.of("fp32", "tf32", "bf16");

    @Override
    public Integer call() throws IOException {
        check();
        BackendChoice choice = common.backend("cuda");
        if (Backends.details(choice.name()).isEmpty()) {
            throw new UserException("bench-gpu measures a device, got --backend " + choice.name() + "; leave it out");
        }
        String mixing = Backends.mixing(choice.name());
        if (mixing != null && steps > 0) {
            throw new UserException("a private step " + mixing + ", or measure no steps with --steps 0");
        }
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        data.put("device", Backends.details("cuda"));
        data.put("sapwood", HostFacts.collect().sapwood());
        data.put("jdk", HostFacts.collect().jdk());
        data.put("cpu", HostFacts.collect().cpu());
        data.put("batch", batch);
        List<String> lines = new ArrayList<>(Backends.details("cuda"));
        List<Map<String, Object>> kernelRows = new ArrayList<>();
        List<Map<String, Object>> stepRows = new ArrayList<>();
        data.put("kernels", kernelRows);
        data.put("steps", stepRows);
        try {
            for (String precision : precisions) {
                CommonOptions.usePrecision(precision);
                if (kernels) {
                    measureKernels(choice, precision, kernelRows, lines);
                }
                if (steps > 0) {
                    measureSteps(choice, precision, stepRows, lines);
                }
            }
        } finally {
            // What was measured before a failure is kept.
            if (out != null) {
                AtomicFiles.write(out, Json.pretty(data).getBytes(StandardCharsets.UTF_8));
                lines.add("written to " + out);
            }
        }
        common.result(data, lines);
        return ExitCode.OK;
    }

    private void check() {
        OptionCheck check = common.check()
                .atLeast("--batch", 1, batch)
                .atLeast("--steps", 0, steps)
                .positive("--copy-bandwidth", copyBandwidth);
        if (kernels && batch > KernelWorkloads.MOST_IMAGES) {
            throw check.error("--batch must be <= " + KernelWorkloads.MOST_IMAGES
                    + ", so that the largest product fits a tensor, or take --no-kernels; got " + batch);
        }
        if (!PRECISIONS.containsAll(precisions)) {
            throw check.error("--precisions must be some of " + String.join(", ", PRECISIONS) + ", got "
                    + String.join(",", precisions));
        }
        if (peaks.size() != PRECISIONS.size()) {
            throw check.error("--peaks must be one figure for each of " + String.join(", ", PRECISIONS) + ", got "
                    + peaks.size());
        }
        peaks.forEach(peak -> check.positive("--peaks", peak));
        Path folder = out == null ? null : out.toAbsolutePath().getParent();
        if (folder != null && !Files.isDirectory(folder)) {
            throw new UserException("--out " + out + " cannot be written: there is no folder " + folder);
        }
    }

    private void measureKernels(
            BackendChoice choice, String precision, List<Map<String, Object>> rows, List<String> lines) {
        boolean repeated = precisions.indexOf(precision) > 0;
        double peak = peaks.get(PRECISIONS.indexOf(precision)) * 1e12;
        lines.add(String.format(
                Locale.ROOT,
                "%n%-34s %-34s %9s %8s %9s %6s",
                precision + " kernel",
                "shape",
                "us",
                "TB/s",
                "TFLOP/s",
                "floor"));
        try (Backend backend = choice.open()) {
            for (KernelWorkloads.Workload workload : new KernelWorkloads(backend, batch).all(repeated)) {
                double seconds = seconds(backend, workload.calls());
                double floor = Math.max(
                        workload.bytes() / (copyBandwidth * 1e12),
                        workload.flops() / (workload.isProduct() ? peak : peaks.getFirst() * 1e12));
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("precision", precision);
                row.put("kernel", workload.kernel());
                row.put("shape", workload.shape());
                row.put("microseconds", seconds * 1e6);
                row.put("bytes_per_s", workload.bytes() / seconds);
                row.put("flop_per_s", workload.flops() / seconds);
                row.put("share_of_floor", floor / seconds);
                rows.add(row);
                lines.add(String.format(
                        Locale.ROOT,
                        "%-34s %-34s %9.1f %8.2f %9.1f %5.0f%%",
                        workload.kernel(),
                        workload.shape(),
                        seconds * 1e6,
                        workload.bytes() / seconds * 1e-12,
                        workload.flops() / seconds * 1e-12,
                        100 * floor / seconds));
                common.note(lines.getLast());
            }
        }
    }

    /** The median time of one replay. */
    private static double seconds(Backend backend, Runnable calls) {
        Runnable recorded = backend.record(calls);
        recorded.run();
        recorded.run();
        backend.synchronize();
        double[] times = new double[REPLAYS];
        for (int i = 0; i < REPLAYS; i++) {
            times[i] = backend.seconds(() -> {
                        for (int repeat = 0; repeat < TOGETHER; repeat++) {
                            recorded.run();
                        }
                    })
                    / TOGETHER;
        }
        Arrays.sort(times);
        return times[REPLAYS / 2];
    }

    private void measureSteps(
            BackendChoice choice, String precision, List<Map<String, Object>> rows, List<String> lines) {
        Map<String, UNetConfig> models = new LinkedHashMap<>();
        models.put("unet28", UNetConfig.unet28(CLASSES));
        models.put("unet32", UNetConfig.unet32(CLASSES));
        lines.add(String.format(
                Locale.ROOT, "%n%-8s %-8s %-18s %10s %12s", precision, "model", "step", "ms", "images/s"));
        models.forEach((name, config) -> {
            for (StepWorkload.Mode mode : StepWorkload.Mode.values()) {
                double seconds = stepSeconds(choice, config, mode);
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("precision", precision);
                row.put("model", name);
                row.put("mode", ChoiceConverter.name(mode));
                row.put("milliseconds", seconds * 1e3);
                row.put("images_per_s", batch / seconds);
                rows.add(row);
                lines.add(String.format(
                        Locale.ROOT,
                        "%-8s %-8s %-18s %10.2f %12.0f",
                        "",
                        name,
                        ChoiceConverter.name(mode),
                        seconds * 1e3,
                        batch / seconds));
                common.note(lines.getLast());
            }
        });
    }

    /** The median time of a step, from three runs of several steps each that end with the device at rest. */
    private double stepSeconds(BackendChoice choice, UNetConfig config, StepWorkload.Mode mode) {
        double[] times = new double[3];
        try (StepWorkload workload = new StepWorkload(config, mode, batch, 0, choice, common.threads())) {
            for (int i = 0; i < 3; i++) {
                workload.run();
            }
            workload.synchronize();
            for (int run = 0; run < times.length; run++) {
                long start = System.nanoTime();
                for (int i = 0; i < steps; i++) {
                    workload.run();
                }
                workload.synchronize();
                times[run] = (System.nanoTime() - start) * 1e-9 / steps;
            }
        }
        Arrays.sort(times);
        return times[1];
    }
}
