package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.io.Json;
import org.sapwood.tensor.cuda.EmulatedFault;

/** What {@code bench-gpu} refuses; its shapes are those of a GPU, too large to be measured on an emulated one. */
class BenchGpuCommandTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--batch 0              | --batch must be >= 1, got 0",
                "--batch 2049           | --batch must be <= 2048, so that the largest product fits a tensor",
                "--steps -1             | --steps must be >= 0, got -1",
                "--precisions fp32,fp8  | --precisions must be some of fp32, tf32, bf16, got fp32,fp8",
                "--peaks 60,400         | --peaks must be one figure for each of fp32, tf32, bf16, got 2",
                "--peaks 60,0,790       | --peaks must be > 0, got 0",
                "--copy-bandwidth 0     | --copy-bandwidth must be > 0, got 0",
                "--copy-bandwidth NaN   | --copy-bandwidth must be > 0, got NaN",
            })
    void badOptionsAreWrongUsage(String options, String message) {
        Run.of("bench-gpu " + options).failed(2, message);
    }

    /** Before hours of measuring, not after them. */
    @Test
    void aFileThatCannotBeWrittenIsRefusedFirst() {
        Path file = folder.resolve("nowhere").resolve("gpu.json");
        Run.of("bench-gpu --no-kernels --steps 0 --out", file)
                .failed(1, "--out " + file + " cannot be written: there is no folder");
    }

    @Test
    void onlyADeviceCanBeMeasured() {
        Run.of("bench-gpu --backend scalar").failed(1, "bench-gpu measures a device, got --backend scalar");
    }

    @Test
    void whatWasMeasuredBeforeAFailureIsKept() {
        EmulatedFault.requireEmulator();
        Path file = folder.resolve("gpu.json");
        EmulatedFault.during(
                EmulatedFault.memory(1 << 20),
                () -> Run.of("bench-gpu --steps 0 --batch 1 --quiet --out", file)
                        .failed(1, "MiB of memory left", "take a smaller --batch"));
        assertEquals(1, Json.readObject(file).get("batch"));
        assertFalse(Files.exists(folder.resolve("nowhere")));
    }
}
