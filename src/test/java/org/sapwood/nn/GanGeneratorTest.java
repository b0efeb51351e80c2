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
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.core.source64.XoShiRo256PlusPlus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.Indices;

/** The generator of colour images, and its files. */
class GanGeneratorTest {
    private static final GanConfig CONFIG = new GanConfig(12, 3, 4, 6, 32, 5, 7, 3);

    @TempDir
    private Path temp;

    private static UniformRandomProvider rng() {
        return new XoShiRo256PlusPlus(new long[] {1, 2, 3, 4});
    }

    private static GanGenerator random() {
        GanGenerator generator = new GanGenerator(CONFIG);
        generator.initialize(rng());
        return generator;
    }

    /** Images of given classes, all from the same z. */
    private static float[] draw(GanGenerator generator, int... labels) {
        try (Backend backend = Backends.choose().open()) {
            Tape tape = Tape.forInference(backend, new Arena(backend));
            Variable z = tape.input(labels.length, 1, CONFIG.latent());
            Indices classes = new Indices(labels.length);
            System.arraycopy(labels, 0, classes.values(), 0, labels.length);
            Variable images = generator.forward(tape, z, classes);
            assertArrayEquals(new int[] {labels.length, 144, 3}, images.shape().toArray());
            tape.keep(images);
            tape.seal();
            float[] pixels = new float[images.shape().size()];
            tape.forward();
            backend.download(images.value(), pixels, 0);
            return pixels;
        }
    }

    @Test
    void imagesDependOnTheirClassAlone() {
        float[] images = draw(random(), 2, 0, 2);
        int size = CONFIG.imageLength();
        assertTrue(Arrays.equals(images, 0, size, images, 2 * size, 3 * size));
        assertFalse(Arrays.equals(images, 0, size, images, size, 2 * size));
        for (float value : images) {
            assertTrue(value > -1 && value < 1);
        }
    }

    @Test
    void fileHoldsTheWholeGenerator() throws IOException {
        GanGenerator generator = random();
        Path weights = temp.resolve("checkpoint-1.safetensors");
        generator.write(weights);
        Path config = temp.resolve("config.json");
        Files.writeString(config, Json.pretty(CONFIG.toJson()));
        assertEquals(CONFIG, GanConfig.read(config));
        assertArrayEquals(draw(generator, 1, 3), draw(GanGenerator.read(GanConfig.read(config), weights), 1, 3));
        GanConfig wider = new GanConfig(12, 3, 4, 6, 48, 5, 7, 3);
        assertThrows(UserException.class, () -> GanGenerator.read(wider, weights));
    }

    @Test
    void configurationsThatDoNotFitAreRefusedByName() throws IOException {
        Path config = temp.resolve("config.json");
        Files.writeString(config, Json.pretty(CONFIG.toJson()).replace("\"latent\" : 6", "\"latent\" : 0"));
        UserException refused = assertThrows(UserException.class, () -> GanConfig.read(config));
        assertEquals(config + ": latent must be >= 1, got 0", refused.getMessage());
        Files.writeString(config, "{\"_class_name\": \"UNet2DModel\"}");
        assertThrows(UserException.class, () -> GanConfig.read(config));
    }

    @Test
    void featureBoundIsThatOfTheNormalisation() {
        assertEquals(3, CONFIG.featureEdge());
        assertEquals(7 * 9, CONFIG.featureLength());
        assertEquals(Math.sqrt(7) * 3, CONFIG.featureBound());
    }
}
