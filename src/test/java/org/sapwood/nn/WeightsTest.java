package org.sapwood.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.autograd.Parameter;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.StoredTensor;
import org.sapwood.io.UserException;

class WeightsTest {
    private static final String QUERY = "down_blocks.1.attentions.0.to_q.weight";

    @TempDir
    private Path folder;

    private Path file;
    private UNet model;

    @BeforeEach
    void saveAModel() {
        file = folder.resolve("model.safetensors");
        model = TinyUNets.random(TinyUNets.CONFIG, 1);
    }

    private record Entry(int[] shape, float[] values) {}

    /** The model's file, changed in some way. */
    private SafetensorsFile changed(Consumer<Map<String, Entry>> change) {
        Weights.save(model, Map.of(), file);
        Map<String, Entry> entries = new LinkedHashMap<>();
        for (StoredTensor tensor : Safetensors.read(file).tensors().values()) {
            entries.put(tensor.name(), new Entry(tensor.shape(), tensor.toFloats()));
        }
        change.accept(entries);
        SafetensorsWriter writer = new SafetensorsWriter();
        entries.forEach((name, entry) -> writer.f32(name, entry.shape, entry.values));
        Path path = folder.resolve("changed.safetensors");
        writer.write(path);
        return Safetensors.read(path);
    }

    private void assertRefused(SafetensorsFile stored, String... fragments) {
        UNet target = TinyUNets.random(TinyUNets.CONFIG, 2);
        float[] before = weights(target);
        UserException refusal = assertThrows(UserException.class, () -> Weights.load(target, stored, 1f));
        for (String fragment : fragments) {
            assertTrue(refusal.getMessage().contains(fragment), refusal.getMessage());
        }
        assertTrue(refusal.getMessage().contains(stored.path().toString()), refusal.getMessage());
        assertArrayEquals(before, weights(target), "the model is unchanged");
    }

    private static Adaptable matrix(UNet model, String name) {
        return Objects.requireNonNull(model.matrices().get(name), name);
    }

    private static Entry entry(Map<String, Entry> entries, String name) {
        return Objects.requireNonNull(entries.get(name), name);
    }

    private static float[] weights(UNet model) {
        float[] values = new float[Math.toIntExact(model.parameters().size())];
        model.parameters().trainable().read(values);
        return values;
    }

    @Test
    void savedModelsLoadAgainWithTheirAdapters() {
        matrix(model, QUERY).adapt(model.parameters(), 2, 0.5f);
        matrix(model, "conv_in.weight").adapt(model.parameters(), 3, 0.5f);
        model.parameters().all().forEach(p -> TinyUNets.perturb(p, 9));
        Weights.save(model, Map.of("lora_scale", "0.5"), file);
        SafetensorsFile stored = Safetensors.read(file);
        assertEquals("0.5", stored.metadata().get("lora_scale"));
        UNet loaded = new UNet(TinyUNets.CONFIG);
        Weights.load(loaded, stored, 0.5f);
        for (Parameter parameter : model.parameters().all()) {
            Parameter other = loaded.parameters().find(parameter.name());
            assertNotNull(other, parameter.name());
            assertArrayEquals(parameter.value().toArray(), other.value().toArray(), parameter.name());
        }
        assertEquals(0.5f, Objects.requireNonNull(matrix(loaded, QUERY).lora()).scale());
        assertEquals(
                3,
                Objects.requireNonNull(matrix(loaded, "conv_in.weight").lora()).rank());
        assertNull(matrix(loaded, "conv_out.weight").lora());
    }

    @Test
    void modelsWithTransformersComeBack() {
        for (UNetConfig config : List.of(TinyUNets.CONDITIONAL, TinyUNets.TOKENS_ONLY)) {
            UNet saved = TinyUNets.random(config, 4);
            matrix(saved, "mid_block.attentions.0.transformer_blocks.0.attn2.to_v.weight")
                    .adapt(saved.parameters(), 2, 1);
            Weights.save(saved, Map.of(), file);
            UNet loaded = new UNet(config);
            Weights.load(loaded, Safetensors.read(file), 1);
            assertArrayEquals(weights(saved), weights(loaded));
        }
    }

    @Test
    void projectionsAroundTransformersHaveDiffusersShapesOnDisk() {
        String name = "down_blocks.1.attentions.0.proj_in.weight";
        Weights.save(TinyUNets.random(TinyUNets.CONDITIONAL, 4), Map.of(), file);
        assertArrayEquals(
                new int[] {8, 8, 1, 1}, Safetensors.read(file).require(name).shape());
        Weights.save(TinyUNets.random(TinyUNets.TOKENS_ONLY, 4), Map.of(), file);
        assertArrayEquals(new int[] {8, 8}, Safetensors.read(file).require(name).shape());
    }

    @Test
    void convolutionsStandInPyTorchOrderOnDisk() {
        Parameter parameter = matrix(model, "conv_in.weight").weight();
        Weights.save(model, Map.of(), file);
        StoredTensor stored = Safetensors.read(file).require("conv_in.weight");
        assertArrayEquals(new int[] {4, 2, 3, 3}, stored.shape());
        float[] memory = parameter.value().toArray();
        float[] disk = stored.toFloats();
        for (int out = 0; out < 4; out++) {
            for (int in = 0; in < 2; in++) {
                for (int row = 0; row < 3; row++) {
                    for (int column = 0; column < 3; column++) {
                        assertEquals(
                                memory[((row * 3 + column) * 2 + in) * 4 + out],
                                disk[((out * 2 + in) * 3 + row) * 3 + column]);
                    }
                }
            }
        }
    }

    @Test
    void loconFactorsHavePyTorchShapesOnDisk() {
        matrix(model, "conv_in.weight").adapt(model.parameters(), 3, 1f);
        Weights.save(model, Map.of(), file);
        SafetensorsFile stored = Safetensors.read(file);
        assertArrayEquals(
                new int[] {3, 2, 3, 3}, stored.require("conv_in.lora_A.weight").shape());
        assertArrayEquals(
                new int[] {4, 3, 1, 1}, stored.require("conv_in.lora_B.weight").shape());
    }

    @Test
    void namesOfOlderDiffusersAreUnderstood() {
        SafetensorsFile old = changed(entries -> {
            Map<String, Entry> renamed = new LinkedHashMap<>();
            entries.forEach((name, entry) -> renamed.put(
                    name.replace(".to_q.", ".query.")
                            .replace(".to_k.", ".key.")
                            .replace(".to_v.", ".value.")
                            .replace(".to_out.0.", ".proj_attn."),
                    entry));
            entries.clear();
            entries.putAll(renamed);
        });
        assertTrue(old.tensors().containsKey("mid_block.attentions.0.proj_attn.bias"));
        UNet loaded = new UNet(TinyUNets.CONFIG);
        Weights.load(loaded, old, 1f);
        assertArrayEquals(weights(model), weights(loaded));
    }

    @Test
    void misfitsAreRefusedByName() {
        assertRefused(changed(entries -> entries.remove(QUERY)), QUERY, "is missing");
        assertRefused(
                changed(entries -> entries.put("conv_extra.weight", new Entry(new int[] {1}, new float[1]))),
                "no parameter conv_extra.weight");
        assertRefused(
                changed(entries -> entries.put(QUERY, new Entry(new int[] {4, 16}, new float[64]))),
                QUERY,
                "[4, 16]",
                "[8, 8]");
        assertRefused(changed(entries -> entry(entries, QUERY).values[3] = Float.NaN), QUERY, "NaN", "index 3");
        assertRefused(
                changed(entries -> entry(entries, "conv_out.bias").values[1] = Float.NEGATIVE_INFINITY),
                "conv_out.bias",
                "-Infinity");
    }

    @Test
    void anAdapterOfAnUnknownMatrixIsRefused() {
        assertRefused(
                changed(entries ->
                        entries.put("down_blocks.9.conv.lora_A.weight", new Entry(new int[] {1, 1}, new float[1]))),
                "down_blocks.9.conv.lora_A.weight",
                "which the model lacks");
    }

    @Test
    void halfAnAdapterIsRefused() {
        assertRefused(
                changed(entries -> entries.put(
                        QUERY.replace(".weight", ".lora_B.weight"), new Entry(new int[] {8, 2}, new float[16]))),
                "no parameter down_blocks.1.attentions.0.to_q.lora_B.weight");
    }
}
