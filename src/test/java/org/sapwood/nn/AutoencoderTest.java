package org.sapwood.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.autograd.GaussianSampleOp;
import org.sapwood.autograd.GradientCheck;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.io.Safetensors;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.scalar.ScalarBackend;

class AutoencoderTest {
    /** Two levels, so that there is one change of resolution each way; attention in the middle. */
    private static final AutoencoderConfig TINY = new AutoencoderConfig(4, 1, List.of(2, 4), 1, 2, 2, true, 0.7);

    @TempDir
    private Path folder;

    private static Autoencoder random(AutoencoderConfig config, long seed) {
        Autoencoder model = new Autoencoder(config);
        model.initialize(RandomSource.XO_SHI_RO_256_PP.create(seed));
        for (Parameter parameter : model.parameters().all()) {
            TinyUNets.perturb(parameter, seed);
        }
        return model;
    }

    @Test
    void referenceModelsAreSmall() {
        assertEquals(
                681_333, new Autoencoder(AutoencoderConfig.kl28()).parameters().size());
        assertEquals(
                656_607,
                new Autoencoder(AutoencoderConfig.kl32To16()).parameters().size());
        assertEquals(
                835_047,
                new Autoencoder(AutoencoderConfig.kl32To8()).parameters().size());
        assertEquals(7 * 7 * 4, AutoencoderConfig.kl28().latentLength());
        assertEquals(16 * 16 * 3, AutoencoderConfig.kl32To16().latentLength());
        assertEquals(8 * 8 * 4, AutoencoderConfig.kl32To8().latentLength());
    }

    @Test
    void parametersHaveDiffusersNames() {
        Set<String> expected = new TreeSet<>();
        List<String> pairs = List.of(
                "encoder.conv_in",
                "encoder.down_blocks.0.resnets.0.norm1",
                "encoder.down_blocks.0.resnets.0.conv1",
                "encoder.down_blocks.0.resnets.0.norm2",
                "encoder.down_blocks.0.resnets.0.conv2",
                "encoder.down_blocks.0.downsamplers.0.conv",
                "encoder.down_blocks.1.resnets.0.norm1",
                "encoder.down_blocks.1.resnets.0.conv1",
                "encoder.down_blocks.1.resnets.0.norm2",
                "encoder.down_blocks.1.resnets.0.conv2",
                "encoder.down_blocks.1.resnets.0.conv_shortcut",
                "encoder.conv_norm_out",
                "encoder.conv_out",
                "quant_conv",
                "post_quant_conv",
                "decoder.conv_in",
                "decoder.up_blocks.0.resnets.0.norm1",
                "decoder.up_blocks.0.resnets.0.conv1",
                "decoder.up_blocks.0.resnets.0.norm2",
                "decoder.up_blocks.0.resnets.0.conv2",
                "decoder.up_blocks.0.resnets.1.norm1",
                "decoder.up_blocks.0.resnets.1.conv1",
                "decoder.up_blocks.0.resnets.1.norm2",
                "decoder.up_blocks.0.resnets.1.conv2",
                "decoder.up_blocks.0.upsamplers.0.conv",
                "decoder.up_blocks.1.resnets.0.norm1",
                "decoder.up_blocks.1.resnets.0.conv1",
                "decoder.up_blocks.1.resnets.0.norm2",
                "decoder.up_blocks.1.resnets.0.conv2",
                "decoder.up_blocks.1.resnets.0.conv_shortcut",
                "decoder.up_blocks.1.resnets.1.norm1",
                "decoder.up_blocks.1.resnets.1.conv1",
                "decoder.up_blocks.1.resnets.1.norm2",
                "decoder.up_blocks.1.resnets.1.conv2",
                "decoder.conv_norm_out",
                "decoder.conv_out");
        for (String side : List.of("encoder", "decoder")) {
            for (String resnet : List.of("0", "1")) {
                for (String part : List.of("norm1", "conv1", "norm2", "conv2")) {
                    addPair(expected, side + ".mid_block.resnets." + resnet + "." + part);
                }
            }
            for (String part : List.of("group_norm", "to_q", "to_k", "to_v", "to_out.0")) {
                addPair(expected, side + ".mid_block.attentions.0." + part);
            }
        }
        pairs.forEach(name -> addPair(expected, name));
        Set<String> names = new TreeSet<>();
        new Autoencoder(TINY).parameters().all().forEach(p -> names.add(p.name()));
        assertEquals(expected, names);
    }

    private static void addPair(Set<String> names, String layer) {
        names.add(layer + ".weight");
        names.add(layer + ".bias");
    }

    @Test
    void gradientsOfTheWholeModel() {
        Autoencoder model = random(TINY, 5);
        new GradientCheck(21)
                .coordinates(4)
                .parameters(model.parameters().all())
                .input(2, 16, 1)
                .constant(2, 4, 2)
                .check((tape, x) -> {
                    Variable moments = model.encode(tape, x.get(0));
                    return model.decode(tape, GaussianSampleOp.gaussianSample(tape, moments, x.get(1)));
                });
    }

    /**
     * A strided convolution sees a row and a column past the far edges and none before the near ones. All layers of this
     * encoder hand on what they get, but the strided one, which takes the pixel two to the right and two down: from a
     * 4×4 image that is pixel (2, 2) at the first position and padding at the other three.
     */
    @Test
    void downsamplingPadsTheFarSide() {
        Autoencoder model = new Autoencoder(new AutoencoderConfig(4, 1, List.of(1, 1), 1, 1, 1, false, 1));
        set(model, "encoder.conv_in.weight", 4);
        set(model, "encoder.down_blocks.0.downsamplers.0.conv.weight", 8);
        set(model, "encoder.conv_norm_out.weight", 0);
        set(model, "encoder.conv_out.weight", 8);
        set(model, "quant_conv.weight", 0);
        float[] image = new float[16];
        for (int i = 0; i < image.length; i++) {
            image[i] = i + 1;
        }
        float[] moments = moments(model, image);
        assertTrue(moments[0] > moments[2] + 1, () -> Arrays.toString(moments));
        assertEquals(moments[2], moments[4]);
        assertEquals(moments[2], moments[6]);
    }

    private static void set(Autoencoder model, String name, int index) {
        Parameter parameter = Objects.requireNonNull(model.parameters().find(name), name);
        parameter.value().array()[parameter.value().offset() + index] = 1;
    }

    private static float[] moments(Autoencoder model, float[] image) {
        try (Backend backend = new ScalarBackend()) {
            Tape tape = Tape.forInference(backend, new Arena(backend));
            AutoencoderConfig config = model.config();
            Variable x = tape.input(1, config.sampleSize() * config.sampleSize(), config.channels());
            Variable moments = model.encode(tape, x);
            tape.keep(moments);
            tape.seal();
            backend.upload(image, 0, x.value());
            tape.forward();
            return moments.value().toArray();
        }
    }

    @Test
    void savedAutoencodersLoadAgain() throws IOException {
        Autoencoder model = random(TINY, 8);
        AutoencoderFolder.save(model, TINY, folder);
        Autoencoder loaded = AutoencoderFolder.find(folder).load();
        assertEquals(TINY, loaded.config());
        for (Parameter parameter : model.parameters().all()) {
            Parameter other = loaded.parameters().find(parameter.name());
            assertArrayEquals(
                    parameter.value().toArray(),
                    other == null ? null : other.value().toArray(),
                    parameter.name());
        }
        assertEquals(
                Files.readString(folder.resolve("vae/config.json")),
                Files.readString(
                        AutoencoderFolder.find(folder.resolve("vae")).path().resolve("config.json")));
        Path copy = Files.createDirectory(folder.resolve("copy"));
        AutoencoderFolder.find(folder).copyTo(copy);
        for (String file : List.of("vae/config.json", "vae/diffusion_pytorch_model.safetensors")) {
            assertEquals(-1, Files.mismatch(folder.resolve(file), copy.resolve(file)), file);
        }
    }

    @Test
    void anAutoencoderIsFoundBesideItsModel() throws IOException {
        ModelFolder beside = new ModelFolder(folder.resolve("config.json"), folder.resolve("checkpoint-3.safetensors"));
        ModelFolder pipeline = new ModelFolder(
                folder.resolve("unet/config.json"), folder.resolve("unet/diffusion_pytorch_model.safetensors"));
        assertFalse(AutoencoderFolder.beside(beside).isPresent());
        AutoencoderFolder.save(random(TINY, 8), TINY, folder);
        assertTrue(AutoencoderFolder.beside(beside).isPresent());
        assertTrue(AutoencoderFolder.beside(pipeline).isPresent());
        Files.delete(folder.resolve("vae/config.json"));
        assertFalse(AutoencoderFolder.beside(beside).isPresent(), "half an autoencoder is none");
    }

    @Test
    void missingAutoencodersAreRefusedWithTheFix() throws IOException {
        UserException none = assertThrows(UserException.class, () -> AutoencoderFolder.find(folder));
        assertTrue(none.getMessage().contains("does not exist"), none.getMessage());
        Files.writeString(folder.resolve("run.json"), "{}");
        UserException unfinished = assertThrows(UserException.class, () -> AutoencoderFolder.find(folder));
        assertTrue(unfinished.getMessage().contains("sapwood resume " + folder), unfinished.getMessage());
    }

    @Test
    void weightsOfAnotherShapeAreRefused() {
        Path file = folder.resolve("weights.safetensors");
        Weights.save(random(TINY, 1).parameters(), Map.of(), file);
        Autoencoder other = new Autoencoder(new AutoencoderConfig(4, 1, List.of(2, 4), 1, 3, 2, true, 1));
        UserException refusal =
                assertThrows(UserException.class, () -> Weights.load(other.parameters(), Safetensors.read(file)));
        assertTrue(refusal.getMessage().contains("encoder.conv_out.weight"), refusal.getMessage());
    }
}
