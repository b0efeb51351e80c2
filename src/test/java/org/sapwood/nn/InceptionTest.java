package org.sapwood.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;

/** Against torchvision's own code with weights from a formula; {@code tests-data/inception} says how it was made. */
class InceptionTest {
    private static final Path GOLDEN = Path.of("tests-data/inception/features.safetensors");

    @TempDir
    static Path shared;

    private static Path fid;

    @TempDir
    Path folder;

    @BeforeAll
    static void writeWeights() {
        fid = shared.resolve("fid.safetensors");
        InceptionFiles.write(fid, 1008);
    }

    @Test
    void featuresAreThoseOfPyTorchWithTheFidPools() {
        Inception network = Inception.read(fid);
        assertEquals(Inception.Variant.FID, network.variant());
        assertFeatures("fid", network);
    }

    @Test
    void featuresAreThoseOfPyTorchWithTorchvisionsPools() {
        Path path = folder.resolve("torchvision.safetensors");
        InceptionFiles.write(path, 1000);
        Inception network = Inception.read(path);
        assertEquals(Inception.Variant.TORCHVISION, network.variant());
        assertFeatures("torchvision", network);
    }

    private static void assertFeatures(String name, Inception network) {
        float[] image = new float[Inception.EDGE * Inception.EDGE * 3];
        for (int i = 0; i < image.length; i++) {
            image[i] = 2 * (float) InceptionFiles.unit(i, 1) - 1;
        }
        float[] actual = new float[Inception.FEATURES + 1];
        try (Backend backend = Backends.choose().open()) {
            network.features(backend, image, actual, 1);
        }
        float[] expected = Safetensors.read(GOLDEN).require(name).toFloats();
        assertEquals(0, actual[0], "written at the offset");
        for (int k = 0; k < expected.length; k++) {
            assertEquals(expected[k], actual[k + 1], 2e-4 * (0.1 + expected[k]), name + " feature " + k);
        }
    }

    @Test
    void whatIsMissingOrMisshapenIsNamed() {
        Map<String, int[]> shapes = InceptionFiles.shapes();
        assertEquals(94 * 5, shapes.size());
        shapes.keySet().removeIf(name -> name.startsWith("Mixed_5c"));
        shapes.keySet().removeIf(name -> name.startsWith("Mixed_6") || name.startsWith("Mixed_7"));
        refused(shapes, 1008, "'Mixed_5c.branch1x1.conv.weight' is missing");
        shapes.remove("Mixed_5b.branch_pool.bn.running_var");
        refused(shapes, 1000, "'Mixed_5b.branch_pool.bn.running_var' is missing");
        shapes.put("Mixed_5b.branch5x5_2.conv.weight", new int[] {64, 48, 3, 3});
        refused(shapes, 1000, "'Mixed_5b.branch5x5_2.conv.weight' has shape [64, 48, 3, 3], expected [64, 48, 5, 5]");
    }

    @Test
    void aFileThatDoesNotSayWhichNetworkItIsIsRefused() {
        refused(Map.of(), 10, "cannot tell which Inception network", "fc.weight: F32[10, 2048]");
        refused(Map.of(), 0, "cannot tell which Inception network", "got no fc.weight");
        Path path = folder.resolve("named.safetensors");
        new SafetensorsWriter()
                .metadata("inception.variant", "keras")
                .f32("a", new int[] {1}, new float[1])
                .write(path);
        refused(path, "got inception.variant = keras");
        new SafetensorsWriter()
                .metadata("inception.variant", "fid")
                .f32("a", new int[] {1}, new float[1])
                .write(path);
        refused(path, "'Conv2d_1a_3x3.conv.weight' is missing");
    }

    private void refused(Map<String, int[]> shapes, int classes, String... parts) {
        Path path = folder.resolve("wrong.safetensors");
        Map<String, int[]> written = shapes.isEmpty() ? Map.of("other", new int[] {1}) : shapes;
        InceptionFiles.write(path, written, classes);
        refused(path, parts);
    }

    private static void refused(Path path, String... parts) {
        UserException e = assertThrows(UserException.class, () -> Inception.read(path));
        for (String part : parts) {
            assertTrue(e.getMessage().contains(part), e.getMessage());
        }
    }
}
