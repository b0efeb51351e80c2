package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.io.Json;
import org.sapwood.io.RunFolder;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.tensor.Backends;

/** Whole runs on a device, where the training state lives there, held against runs on the host. */
class DeviceRunTest {
    private static final OptionalLong SEED = OptionalLong.of(7);

    @TempDir
    private Path temp;

    private Path publicModel = Path.of("");

    @BeforeEach
    void requireDevice() {
        String reason = Backends.unavailable("cuda");
        if (reason != null) {
            if (Arrays.asList(System.getenv()
                            .getOrDefault("SAPWOOD_REQUIRE_BACKENDS", "")
                            .split(","))
                    .contains("cuda")) {
                fail(reason);
            }
            abort("no run on a device: " + reason);
        }
        publicModel = TinyModels.publicModel(temp.resolve("public"));
    }

    private RunFolder run(String backend, TrainOptions options, int threads) {
        String name = backend + threads + options.method() + options.microBatch();
        return FineTuning.start(options, temp.resolve(name), Backends.choose(backend), threads, ProgressListener.SILENT)
                .folder();
    }

    private static SafetensorsFile checkpoint(RunFolder folder) {
        return Safetensors.read(folder.newestCheckpoint().orElseThrow().path());
    }

    private static void assertClose(SafetensorsFile expected, SafetensorsFile actual, double tolerance) {
        assertEquals(expected.tensors().keySet(), actual.tensors().keySet());
        for (String name : expected.tensors().keySet()) {
            float[] wanted = expected.require(name).toFloats();
            float[] got = actual.require(name).toFloats();
            for (int i = 0; i < wanted.length; i++) {
                assertEquals(wanted[i], got[i], tolerance, name + "[" + i + "]");
            }
        }
    }

    /** Selection, sampling, noise and initial adapters are the same bits, so only the rounding of gradients differs. */
    @Test
    void aPrivateRunEndsWhereTheHostsDoes() {
        TrainOptions options = TinyModels.options(publicModel, SEED);
        RunFolder host = run("scalar", options, 1);
        RunFolder device = run("cuda", options, 2);
        assertClose(checkpoint(host), checkpoint(device), 2e-4);
        assertEquals(
                Json.readObject(host.privacyJson()).get("epsilon"),
                Json.readObject(device.privacyJson()).get("epsilon"));
    }

    @Test
    void theResultHasTheSameBitsForAnyThreadsAndMicroBatch() {
        RunFolder one = run("cuda", TinyModels.options(Method.DP_LORA, SelectionRule.ALL, publicModel, 3, 2, SEED), 1);
        RunFolder two = run("cuda", TinyModels.options(Method.DP_LORA, SelectionRule.ALL, publicModel, 3, 16, SEED), 3);
        SafetensorsFile expected = checkpoint(one);
        SafetensorsFile actual = checkpoint(two);
        for (String name : expected.tensors().keySet()) {
            assertArrayEquals(
                    expected.require(name).toFloats(), actual.require(name).toFloats(), name);
        }
    }

    @Test
    void anOpenRunEndsWhereTheHostsDoes() {
        TrainOptions options = TinyModels.options(Method.NON_PRIVATE, SelectionRule.ALL, publicModel, 3, 4, SEED);
        assertClose(checkpoint(run("scalar", options, 1)), checkpoint(run("cuda", options, 1)), 2e-3);
    }

    /** What is kept on the device comes home with each checkpoint, so a run may go on elsewhere. */
    @Test
    void theOptimizersStateComesHome() {
        RunFolder device = run("cuda", TinyModels.options(publicModel, SEED), 1);
        RunFolder host = run("scalar", TinyModels.options(publicModel, SEED), 1);
        long step = device.newestCheckpoint().orElseThrow().step();
        SafetensorsFile expected = Safetensors.read(host.optimizer(step));
        SafetensorsFile actual = Safetensors.read(device.optimizer(step));
        assertClose(expected, actual, 2e-4);
        boolean moved = false;
        for (float moment : actual.require("first_moment").toFloats()) {
            moved |= moment != 0;
        }
        assertTrue(moved, "the moments must not be those of the beginning");
    }
}
