package org.sapwood.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.apache.commons.rng.simple.RandomSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.StoredTensor;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;

class ClassifierTest {
    private static final long SEED = 5;

    /**
     * For 28×28×1 and ten classes, added up apart from this code: a convolution has in·out·k² + out of them, a GroupNorm 2
     * a channel, a fully connected layer in·out + out.
     */
    @ParameterizedTest
    @CsvSource({"CNN, 122826", "RESNET, 175338", "WRN, 304106"})
    void numberOfParameters(ClassifierArchitecture architecture, long expected) {
        assertEquals(
                expected,
                new Classifier(architecture.standard(28, 28, 1, 10))
                        .parameters()
                        .size());
    }

    /** Odd sizes round up at every stride; an image's logits have the same bits alone and among others. */
    @ParameterizedTest
    @EnumSource
    void samplesDoNotMix(ClassifierArchitecture architecture) {
        Classifier classifier = initialized(architecture.standard(11, 9, 3, 4));
        float[] images = random(3 * 11 * 9 * 3);
        float[] together = logits(classifier, images, 3);
        for (int i = 0; i < 3; i++) {
            float[] alone = logits(classifier, Arrays.copyOfRange(images, i * 297, (i + 1) * 297), 1);
            assertArrayEquals(Arrays.copyOfRange(together, i * 4, i * 4 + 4), alone, "seed " + SEED);
        }
        assertTrue(together[0] != together[4], "the images differ, their logits should");
    }

    /** With its second convolutions at zero a residual network hands the first feature maps through its shortcuts. */
    @Test
    void blocksAddToWhatTheyWereGiven() {
        Classifier classifier = initialized(ClassifierArchitecture.RESNET.standard(8, 8, 1, 2));
        float[] image = random(64);
        for (Parameter parameter : classifier.parameters().all()) {
            if (parameter.name().contains(".conv2.")) {
                Arrays.fill(parameter.value().array(), 0);
            }
        }
        float[] before = logits(classifier, image, 1);
        for (Parameter parameter : classifier.parameters().all()) {
            if (parameter.name().contains(".conv1.")) {
                Arrays.fill(parameter.value().array(), 3);
            }
        }
        assertArrayEquals(before, logits(classifier, image, 1));
        Parameter stem = Objects.requireNonNull(classifier.parameters().find("stem.weight"));
        stem.value().array()[0] += 1;
        assertTrue(!Arrays.equals(before, logits(classifier, image, 1)), "the shortcuts carry the image");
    }

    @ParameterizedTest
    @EnumSource
    void fileGivesTheSameClassifier(ClassifierArchitecture architecture, @TempDir Path folder) {
        Classifier classifier = initialized(architecture.standard(10, 12, 1, 3));
        Path path = folder.resolve("classifier.safetensors");
        new ClassifierFile(classifier, Map.of("owner", "me")).write(path);
        ClassifierFile read = ClassifierFile.read(path);
        assertEquals(classifier.config(), read.classifier().config());
        assertEquals("me", read.metadata().get("owner"));
        float[] image = random(120);
        assertArrayEquals(logits(classifier, image, 1), logits(read.classifier(), image, 1));
    }

    /** Files from before there were several architectures do not name one. */
    @Test
    void aFileWithoutArchitectureIsOfTheConvolutionalNetwork(@TempDir Path folder) {
        Classifier classifier = initialized(ClassifierArchitecture.CNN.standard(8, 8, 1, 3));
        Path now = folder.resolve("now.safetensors");
        new ClassifierFile(classifier, Map.of()).write(now);
        Path old = rewritten(now, folder.resolve("old.safetensors"), "classifier.architecture", null);
        ClassifierFile read = ClassifierFile.read(old);
        assertEquals(classifier.config(), read.classifier().config());

        Path strange = rewritten(now, folder.resolve("strange.safetensors"), "classifier.architecture", "vgg");
        UserException unknown = assertThrows(UserException.class, () -> ClassifierFile.read(strange));
        assertTrue(unknown.getMessage().contains("'vgg', expected cnn, resnet or wrn"), unknown.getMessage());
        Path other = rewritten(now, folder.resolve("other.safetensors"), "classifier.architecture", "resnet");
        UserException misfit = assertThrows(UserException.class, () -> ClassifierFile.read(other));
        assertTrue(misfit.getMessage().contains("128 features, got 64"), misfit.getMessage());
    }

    private static Path rewritten(Path from, Path to, String key, @Nullable String value) {
        SafetensorsFile file = Safetensors.read(from);
        SafetensorsWriter writer = new SafetensorsWriter();
        file.metadata().forEach((k, v) -> {
            if (!k.equals(key)) {
                writer.metadata(k, v);
            }
        });
        if (value != null) {
            writer.metadata(key, value);
        }
        for (StoredTensor tensor : file.tensors().values()) {
            writer.f32(tensor.name(), tensor.shape(), tensor.toFloats());
        }
        writer.write(to);
        return to;
    }

    private static Classifier initialized(ClassifierConfig config) {
        Classifier classifier = new Classifier(config);
        classifier.initialize(RandomSource.XO_SHI_RO_256_PP.create(SEED));
        return classifier;
    }

    private static float[] random(int count) {
        Random rng = new Random(SEED);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = 2 * rng.nextFloat() - 1;
        }
        return values;
    }

    private static float[] logits(Classifier classifier, float[] images, int count) {
        ClassifierConfig config = classifier.config();
        try (Backend backend = Backends.choose().open()) {
            Tape tape = Tape.forInference(backend, new Arena(backend));
            Variable x = tape.input(count, config.height() * config.width(), config.channels());
            Variable logits = classifier.forward(tape, x).logits();
            tape.keep(logits);
            tape.seal();
            backend.upload(images, 0, x.value());
            tape.forward();
            float[] values = new float[count * config.classes()];
            backend.download(logits.value(), values, 0);
            return values;
        }
    }
}
