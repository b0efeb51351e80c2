package org.sapwood.tensor.cuda;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Where the time of a stream goes: two events around every launch, added up by kernel and grid. Launches are then not
 * recorded into graphs, so the whole takes longer; the time of each kernel is its own.
 */
final class LaunchProfile {
    /** System property that switches it on; the table is printed on standard error when the stream is closed. */
    static final String PROPERTY = "sapwood.cuda.profile";

    /** Launches whose times are collected together. */
    private static final int PENDING = 1024;

    private final CUstream stream;
    private final Map<String, double[]> totals = new HashMap<>();
    private final List<DeviceEvent> events = new ArrayList<>();
    private final List<String> pending = new ArrayList<>();

    LaunchProfile(CUstream stream) {
        this.stream = stream;
    }

    static boolean isWanted() {
        return Boolean.getBoolean(PROPERTY);
    }

    /** To be called before a launch. */
    void begin(String what) {
        if (pending.size() == PENDING) {
            collect();
        }
        pending.add(what);
        record();
    }

    /** To be called after it. */
    void end() {
        record();
    }

    /** To be called instead of {@link #end} if there was no launch. */
    void abandon() {
        pending.removeLast();
        events.removeLast().close();
    }

    private void record() {
        DeviceEvent event = DeviceEvent.withTime();
        events.add(event);
        event.record(stream);
    }

    private void collect() {
        CudaException.check(JCudaDriver.cuStreamSynchronize(stream), "cuStreamSynchronize");
        for (int i = 0; i < pending.size(); i++) {
            double[] total = totals.computeIfAbsent(pending.get(i), what -> new double[2]);
            total[0] += events.get(2 * i).millisUntil(events.get(2 * i + 1));
            total[1]++;
        }
        events.forEach(DeviceEvent::close);
        events.clear();
        pending.clear();
    }

    /** The table, the most expensive first. */
    String table() {
        collect();
        double all = totals.values().stream().mapToDouble(total -> total[0]).sum();
        StringBuilder table = new StringBuilder(String.format(Locale.ROOT, "%.1f ms in kernels%n", all));
        totals.entrySet().stream()
                .sorted(Comparator.comparingDouble((Map.Entry<String, double[]> e) -> -e.getValue()[0]))
                .forEach(e -> table.append(String.format(
                        Locale.ROOT,
                        "%9.2f ms %5.1f%% %7.0f x %9.1f us  %s%n",
                        e.getValue()[0],
                        100 * e.getValue()[0] / all,
                        e.getValue()[1],
                        1e3 * e.getValue()[0] / e.getValue()[1],
                        e.getKey())));
        return table.toString();
    }
}
