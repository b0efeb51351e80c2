package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sapwood.io.Json;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.StoredTensor;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;

/**
 * Whole steps against float64 PyTorch: {@code tests-data/parity} (see its README) and the reference model in
 * {@code ../shared/parity}, which is large and lives outside the repository. Where that is missing its case is skipped,
 * unless {@code SAPWOOD_REQUIRE_DATA=1} makes that a failure.
 */
class ParityStepTest {
    private static final double TOLERANCE = 2e-4;

    /** Some gradients are zero in theory, such as that of to_k.bias: softmax ignores a constant added to all scores. */
    private static final double ZERO_NORM = 1e-10;

    private static final Path CASES = Path.of("tests-data", "parity");
    private static final Path REFERENCE = Path.of("..", "shared", "parity", "unet28-b4");

    @TempDir
    private Path folder;

    private static Stream<String> backends() {
        return Backends.names().stream().filter(name -> Backends.unavailable(name) == null);
    }

    private static Stream<Arguments> ownCases() {
        return Stream.of("colour12-two-layers", "grey8-ddpm-style", "two-channel10-attention", "colour8-lora")
                .flatMap(name -> backends().map(backend -> Arguments.of(name, backend)));
    }

    @Tag("no-vector")
    @ParameterizedTest
    @MethodSource("ownCases")
    void agreesWithPyTorch(String name, String backend) {
        requireAgreement(CASES.resolve(name), backend);
    }

    @ParameterizedTest
    @MethodSource("backends")
    void referenceModelAgreesWithPyTorch(String backend) {
        if (!Files.isDirectory(REFERENCE)) {
            if ("1".equals(System.getenv("SAPWOOD_REQUIRE_DATA"))) {
                fail(REFERENCE + " is missing and SAPWOOD_REQUIRE_DATA=1");
            }
            Assumptions.abort(REFERENCE + " is missing; set SAPWOOD_REQUIRE_DATA=1 to make that a failure");
        }
        requireAgreement(REFERENCE, backend);
    }

    private void requireAgreement(Path path, String backend) {
        Map<String, Object> facts = Json.readObject(path.resolve("case.json"));
        ParityStep step = load(path, Json.number(facts.get("lora_scale"), "lora_scale"));
        assertEquals(facts.get("lora_rank"), step.loraRank());
        Path out = folder.resolve("out.safetensors");
        ParityStep.Trainable trainable = ParityStep.Trainable.valueOf(
                String.valueOf(facts.get("trainable")).toUpperCase(Locale.ROOT));
        run(step, backend, trainable, Json.number(facts.get("clip_norm"), "clip_norm"), out);

        SafetensorsFile actual = Safetensors.read(out);
        SafetensorsFile expected = Safetensors.read(path.resolve("expected.safetensors"));
        assertEquals(expected.tensors().keySet(), Set.copyOf(actual.tensors().keySet()));
        for (String name : expected.tensors().keySet()) {
            assertArrayEquals(
                    expected.require(name).shape(), actual.require(name).shape(), name);
            float[] want = expected.require(name).toFloats();
            float[] got = actual.require(name).toFloats();
            double norm = 0;
            double distance = 0;
            for (int i = 0; i < want.length; i++) {
                norm += (double) want[i] * want[i];
                distance += ((double) got[i] - want[i]) * ((double) got[i] - want[i]);
            }
            norm = Math.sqrt(norm);
            double allowed = norm < ZERO_NORM ? 1e-6 : TOLERANCE * norm;
            assertTrue(
                    Math.sqrt(distance) <= allowed,
                    name + " on " + backend + ": distance " + Math.sqrt(distance) + ", norm " + norm);
        }
    }

    private static ParityStep load(Path path, double loraScale) {
        return ParityStep.load(
                path.resolve("config.json"),
                path.resolve("weights.safetensors"),
                path.resolve("batch.safetensors"),
                (float) loraScale);
    }

    private static void run(
            ParityStep step, String backend, ParityStep.Trainable trainable, double clipNorm, Path out) {
        try (Backend own = Backends.choose(backend).open()) {
            step.run(own, trainable, clipNorm, out);
        }
    }

    @Test
    void withLoraExactlyTheFactorsInTheFileTrain() {
        Path path = CASES.resolve("colour8-lora");
        Path out = folder.resolve("out.safetensors");
        run(load(path, 0.5), "scalar", ParityStep.Trainable.LORA, 1, out);
        List<String> gradients = Safetensors.read(out).tensors().keySet().stream()
                .filter(name -> name.startsWith("clipped_grad_sum."))
                .toList();
        assertEquals(18, gradients.size());
        assertTrue(gradients.stream().allMatch(name -> name.contains(".lora_")), gradients.toString());
        assertTrue(gradients.contains("clipped_grad_sum.up_blocks.1.resnets.0.conv_shortcut.lora_B.weight"));
    }

    @Test
    void clippingBoundsTheSum() {
        Path path = CASES.resolve("two-channel10-attention");
        Path out = folder.resolve("out.safetensors");
        double clipNorm = 1e-3;
        run(load(path, 1), "scalar", ParityStep.Trainable.ATTENTION, clipNorm, out);
        double squared = 0;
        for (StoredTensor tensor : Safetensors.read(out).tensors().values()) {
            if (tensor.name().startsWith("clipped_grad_sum.")) {
                for (float g : tensor.toFloats()) {
                    squared += (double) g * g;
                }
            }
        }
        assertTrue(Math.sqrt(squared) <= 3 * clipNorm * 1.000001, "sum of three has norm " + Math.sqrt(squared));
        assertTrue(squared > 0);
    }

    @Test
    void aSelectionWithoutParametersIsRefused() {
        ParityStep step = load(CASES.resolve("grey8-ddpm-style"), 1);
        UserException refusal = assertThrows(
                UserException.class,
                () -> run(step, "scalar", ParityStep.Trainable.LORA, 1, folder.resolve("out.safetensors")));
        assertTrue(refusal.getMessage().contains("--trainable lora selects no parameter"), refusal.getMessage());
        assertFalse(Files.exists(folder.resolve("out.safetensors")));
    }

    @Test
    void aBatchThatDoesNotFitIsRefused() {
        Path path = CASES.resolve("colour12-two-layers");
        SafetensorsFile batch = Safetensors.read(path.resolve("batch.safetensors"));
        Path bad = folder.resolve("batch.safetensors");
        new SafetensorsWriter()
                .f32("x", new int[] {3, 3, 12, 12}, batch.require("x").toFloats())
                .f32("target", new int[] {3, 3, 12, 12}, batch.require("target").toFloats())
                .i64("t", new int[] {3}, new long[] {1, 2, 3})
                .i64("y", new int[] {3}, new long[] {0, 1, 6})
                .write(bad);
        ParityStep step = ParityStep.load(path.resolve("config.json"), path.resolve("weights.safetensors"), bad, 1);
        UserException refusal = assertThrows(
                UserException.class,
                () -> run(step, "scalar", ParityStep.Trainable.ALL, 1, folder.resolve("out.safetensors")));
        assertTrue(refusal.getMessage().contains("y holds class 6"), refusal.getMessage());
    }
}
