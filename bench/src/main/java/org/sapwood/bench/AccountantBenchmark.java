package org.sapwood.bench;

import java.util.List;
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
import org.sapwood.privacy.accounting.Calibration;
import org.sapwood.privacy.accounting.PldAccountant;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.accounting.RdpAccountant;

/** ε of a training run, and the search for the noise that meets a given ε. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class AccountantBenchmark {
    private static final double DELTA = 1e-5;

    @Param({"2250", "100000"})
    public int steps;

    private PrivacyEvent event;

    @Setup
    public void setUp() {
        event = new PrivacyEvent("training", 0.04, 1.5, 1, steps);
    }

    @Benchmark
    public double rdp() {
        return new RdpAccountant().epsilon(List.of(event), DELTA);
    }

    @Benchmark
    public double pld() {
        return new PldAccountant().epsilon(List.of(event), DELTA);
    }

    @Benchmark
    public double calibration() {
        return new Calibration(new PldAccountant(), 8, DELTA).noiseMultiplier(event, List.of());
    }
}
