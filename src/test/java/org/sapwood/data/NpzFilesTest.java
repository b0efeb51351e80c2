package org.sapwood.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.sapwood.data.Samples.assertRefused;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpzFilesTest {
    private static final ReadOptions AS_STORED = ReadOptions.asStored();

    @TempDir
    private Path folder;

    @Test
    void imagesAndLabelsOfAnyIntegerTypeAreRead() throws IOException {
        byte[] images = {0, 1, 2, 3, 4, 5, 6, 7};
        ImageSet grey =
                ImageSets.open(npz(array("|u1", "(2, 2, 2)", images), array("<i8", "(2,)", longs(1, 0))), AS_STORED);
        assertEquals("ImageSet[2x2x1, 2 classes]", grey.toString());
        assertArrayEquals(new int[] {1, 0}, grey.labels());
        assertArrayEquals(new byte[] {4, 5, 6, 7}, grey.bytes(1));
        ImageSet colour = ImageSets.open(
                npz(array("|u1", "(1, 1, 2, 3)", Arrays.copyOf(images, 6)), array(">u2", "(1, 1)", new byte[] {1, 2})),
                AS_STORED);
        assertEquals("ImageSet[1x2x3, 259 classes]", colour.toString());
        assertEquals(258, colour.label(0));
        ImageSet last = ImageSets.open(
                npz(array("|u1", "(2, 2, 2)", images), array("|u1", "(2,)", new byte[] {0, 3})),
                AS_STORED.withSubset(ReadOptions.Subset.parse("1:")));
        assertArrayEquals(new int[] {3}, last.labels());
        assertEquals(4, last.bytes(0)[0]);
    }

    @Test
    void whatDoesNotFitIsRefusedWithWhatWasFound() throws IOException {
        byte[] label = array("|i1", "(1,)", new byte[1]);
        refused(array("<f4", "(1, 1, 1)", new byte[4]), label, "must be an array of integers", "<f4");
        refused(array("|u1", "(1, 1)", new byte[1]), label, "images are u1[1, 1], expected u1 [N, H, W]");
        refused(array("|u1", "(1, 1, 1, 2)", new byte[2]), label, "u1[1, 1, 1, 2]");
        refused(array("|u1", "(0, 1, 1)", new byte[0]), label, "u1[0, 1, 1]");
        refused(array("|u1", "(1, 2, 2)", new byte[3]), label, "truncated: 3 bytes of data, expected 4");
        refused(array("|u1", "(2, 1, 1)", new byte[2]), label, "1 labels for 2 images");
        refused(array("|u1", "(1, 1, 1)", new byte[1]), array("|i1", "()", new byte[1]), "expected [N] or [N, 1]");
        refused(array("|u1", "(99999, 99999, 9)", new byte[1]), label, "more than 2 GiB");
        refused(array("|u1", "(1, 1, 1)", new byte[1]), array("|i1", "(1,)", new byte[] {-3}), "label -3");
        refused("text".getBytes(StandardCharsets.US_ASCII), label, "images.npy is not a NumPy array");
        Path other = Samples.zip(folder.resolve("other.npz"), Map.of("arr_0.npy", label));
        assertRefused(() -> ImageSets.open(other, AS_STORED), other, "holds the arrays [arr_0.npy], expected");
    }

    private void refused(byte[] images, byte[] labels, Object... parts) throws IOException {
        Path file = npz(images, labels);
        assertRefused(() -> ImageSets.open(file, AS_STORED), parts);
    }

    private Path npz(byte[] images, byte[] labels) throws IOException {
        return Samples.zip(folder.resolve("set.npz"), Map.of("images.npy", images, "labels.npy", labels));
    }

    private static byte[] array(String descr, String shape, byte[] data) throws IOException {
        String header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) header.length(), 0});
        out.write(header.getBytes(StandardCharsets.US_ASCII));
        out.write(data);
        return out.toByteArray();
    }

    private static byte[] longs(long... values) {
        byte[] out = new byte[values.length * Long.BYTES];
        for (int i = 0; i < values.length; i++) {
            out[i * Long.BYTES] = (byte) values[i];
        }
        return out;
    }
}
