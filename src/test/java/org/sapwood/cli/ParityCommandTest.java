package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.StoredTensor;

/** The numbers themselves are held against PyTorch's elsewhere; here the options, the files and the refusals. */
@Tag("no-vector")
class ParityCommandTest {
    private static final int BATCH = 3;

    @TempDir
    Path folder;

    private Path batch;
    private Path out;

    @BeforeEach
    void writeBatch() {
        batch = folder.resolve("batch.safetensors");
        out = folder.resolve("out.safetensors");
        writer(8, 0).write(batch);
    }

    private static SafetensorsWriter writer(int size, int label) {
        int[] shape = {BATCH, 1, size, size};
        return new SafetensorsWriter()
                .f32("x", shape, noise(BATCH * size * size, 1))
                .f32("target", shape, noise(BATCH * size * size, 2))
                .i64("t", new int[] {BATCH}, new long[] {0, 500, 999})
                .i64("y", new int[] {BATCH}, new long[] {label, 3, 10});
    }

    private static float[] noise(int size, long seed) {
        UniformRandomProvider random = RandomSource.PHILOX_4X32.create(seed);
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = random.nextFloat(-1, 1);
        }
        return values;
    }

    private Run parity(TinyModel model, String options) {
        return Run.of(
                "parity --config",
                model.config(),
                "--weights",
                model.weights(),
                "--batch",
                batch,
                "--out",
                out,
                "--clip-norm 0.5 " + options);
    }

    @Test
    void writesOutputLossNormsAndClippedSum() throws IOException {
        TinyModel model = TinyModel.write(folder, 0);
        Map<String, Object> json = parity(model, "--json --quiet").json();
        assertEquals(out.toString(), json.get("out"));

        SafetensorsFile file = Safetensors.read(out);
        assertArrayEquals(new int[] {BATCH, 1, 8, 8}, file.require("output").shape());
        assertArrayEquals(new int[] {BATCH}, file.require("loss").shape());
        float[] norms = file.require("grad_norm").toFloats();
        assertEquals(BATCH, norms.length);
        Set<String> expected = Safetensors.read(model.weights()).tensors().keySet().stream()
                .map(name -> "clipped_grad_sum." + name)
                .collect(Collectors.toSet());
        assertEquals(expected, sums(file));
        double squared = 0;
        for (String name : expected) {
            for (float value : file.require(name).toFloats()) {
                squared += (double) value * value;
            }
        }
        assertTrue(Math.sqrt(squared) <= BATCH * 0.5 * (1 + 1e-6), "norm of the sum " + Math.sqrt(squared));
    }

    @Test
    void trainableAttentionLeavesTheRestOut() throws IOException {
        assertEquals(
                0, parity(TinyModel.write(folder, 0), "--trainable attention").code());
        Set<String> sums = sums(Safetensors.read(out));
        assertTrue(sums.contains("clipped_grad_sum.mid_block.attentions.0.to_out.0.weight"), sums.toString());
        assertTrue(sums.stream().allMatch(name -> name.contains(".attentions.")), sums.toString());
    }

    @Test
    void trainableLoraTakesTheFactorsOfTheFile() throws IOException {
        Run run = parity(TinyModel.write(folder, 2), "--trainable lora --lora-rank 2 --lora-scale 0.5");
        assertEquals(0, run.code(), run.err());
        assertEquals(
                Set.of(
                        "clipped_grad_sum.mid_block.attentions.0.to_q.lora_A.weight",
                        "clipped_grad_sum.mid_block.attentions.0.to_q.lora_B.weight"),
                sums(Safetensors.read(out)));
    }

    @Test
    void anotherRankThanTheFilesIsRefused() throws IOException {
        parity(TinyModel.write(folder, 2), "--trainable lora --lora-rank 3")
                .failed(1, "--lora-rank is 3, but ", "holds LoRA factors of rank 2");
        parity(TinyModel.write(folder, 0), "--lora-rank 3").failed(1, "holds no LoRA factors");
        parity(TinyModel.write(folder, 0), "--trainable lora").failed(1, "selects no parameter");
    }

    @Test
    void badOptionsAreWrongUsage() throws IOException {
        TinyModel model = TinyModel.write(folder, 0);
        parity(model, "--clip-norm 0").failed(2, "should be specified only once");
        parity(model, "--trainable some").failed(2, "expected one of all, attention, lora, got 'some'");
        Run.of("parity --config c --weights w --batch b --out o --clip-norm -1")
                .failed(2, "--clip-norm must be > 0, got -1");
        Run.of("parity --config c --weights w --batch b --out o --clip-norm 1 --lora-rank 0")
                .failed(2, "--lora-rank must be >= 1, got 0");
    }

    @Test
    void badFilesAreNamed() throws IOException {
        TinyModel model = TinyModel.write(folder, 0);
        writer(4, 0).write(batch);
        parity(model, "").failed(1, batch.toString(), "shape");
        writer(8, 11).write(batch);
        parity(model, "").failed(1, "y holds class 11");
        Files.delete(batch);
        parity(model, "").failed(1, batch.toString(), "no such file");
        Files.write(model.weights(), List.of("not a model"));
        parity(model, "").failed(1, model.weights().toString());
    }

    @Test
    void nanWeightsAreRefused() throws IOException {
        TinyModel model = TinyModel.write(folder, 0);
        SafetensorsWriter poisoned = new SafetensorsWriter();
        for (Map.Entry<String, StoredTensor> entry :
                Safetensors.read(model.weights()).tensors().entrySet()) {
            float[] values = entry.getValue().toFloats();
            if (entry.getKey().equals("conv_in.bias")) {
                values[1] = Float.NaN;
            }
            poisoned.f32(entry.getKey(), entry.getValue().shape(), values);
        }
        poisoned.write(model.weights());
        parity(model, "").failed(1, "conv_in.bias", "NaN");
    }

    @Test
    void anUnwritableTargetIsNamed() throws IOException {
        out = folder.resolve("missing").resolve("out.safetensors");
        parity(TinyModel.write(folder, 0), "").failed(1, "cannot write " + out, "no such file or folder");
    }

    private static Set<String> sums(SafetensorsFile file) {
        return file.tensors().keySet().stream()
                .filter(name -> name.startsWith("clipped_grad_sum."))
                .collect(Collectors.toSet());
    }
}
