package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sapwood.io.Json;

class BenchCommandTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"forward", "non-private", "private", "lora-non-private", "lora-private"})
    void everyModeIsMeasured(String mode) throws IOException {
        Path config = TinyModel.write(folder, 0).config();
        Map<String, Object> json = Run.of(
                        "bench step --batch 5 --micro-batch 2 --threads 2 --seconds 0.001 --quiet --json --mode "
                                + mode,
                        "--config",
                        config)
                .json();
        double millis = Json.number(json.get("ms_per_image"), "ms_per_image");
        assertTrue(millis > 0, json.toString());
        assertEquals(1e3 / millis, Json.number(json.get("images_per_s"), "images_per_s"), 1e-6 * 1e3 / millis);
        assertTrue(Json.number(json.get("peak_rss_mib"), "peak_rss_mib") > 0, json.toString());
        assertTrue(Json.number(json.get("allocated_bytes_per_step"), "bytes") >= 0, json.toString());
        assertTrue(Json.number(json.get("steps"), "steps") >= 3, json.toString());
        assertEquals(mode, json.get("mode"));
        assertEquals(2, json.get("threads"));
    }

    @Test
    void badOptionsAreRefused() {
        Run.of("bench").failed(2, "a command is missing");
        Run.of("bench step --mode fast").failed(2, "expected one of forward, non-private, private, lora-non-private");
        Run.of("bench step --batch 0").failed(2, "--batch must be >= 1, got 0");
        Run.of("bench step --seconds 0").failed(2, "--seconds must be > 0, got 0");
        Run.of("bench step --quiet --config", folder.resolve("none.json")).failed(1, "none.json");
    }
}
