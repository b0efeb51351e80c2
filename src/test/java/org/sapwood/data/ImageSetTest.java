package org.sapwood.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class ImageSetTest {
    private static final List<String> CLASSES = List.of("a", "b", "c");

    @Test
    void bytesMapToModelSpace() {
        ImageSet set = ImageSet.of(1, 3, 1, new byte[] {0, (byte) 255, 51}, new int[] {2}, CLASSES);
        float[] target = new float[4];
        set.copyImage(0, target, 1);
        assertArrayEquals(new float[] {0, -1, 1, -0.6f}, target, 1e-7f);
    }

    @Test
    void subsetsSeeTheirOwnImagesAndNoOthers() {
        ImageSet set = set();
        ImageSet middle = set.subset(1, 4).subset(1, 3);
        assertEquals(2, middle.size());
        assertArrayEquals(new int[] {2, 0}, middle.labels());
        assertArrayEquals(new byte[] {2}, middle.bytes(0));
        assertArrayEquals(new float[] {2 / 127.5f - 1, 3 / 127.5f - 1}, middle.toFloats());
        assertEquals(3, middle.classCount());
        assertThrows(IndexOutOfBoundsException.class, () -> middle.bytes(2));
        assertThrows(IndexOutOfBoundsException.class, () -> middle.label(-1));
        assertThrows(IndexOutOfBoundsException.class, () -> middle.subset(0, 3));
        ImageSet chosen = middle.select(new int[] {1, 1, 0});
        assertArrayEquals(new int[] {0, 0, 2}, chosen.labels());
        assertArrayEquals(new byte[] {2}, chosen.bytes(2));
    }

    @Test
    void nobodyCanChangeASet() {
        byte[] pixels = {1};
        int[] labels = {0};
        ImageSet set = ImageSet.of(1, 1, 1, pixels, labels, CLASSES);
        pixels[0] = 9;
        labels[0] = 2;
        set.bytes(0)[0] = 9;
        set.labels()[0] = 2;
        assertEquals(1, set.bytes(0)[0]);
        assertEquals(0, set.label(0));
    }

    @Test
    void itsTextDoesNotTellHowManyImagesItHolds() {
        assertEquals("ImageSet[1x1x1, 3 classes]", set().toString());
        assertFalse(set().toString().contains("5"));
    }

    @Test
    void partsThatDoNotFitAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> ImageSet.of(1, 1, 1, new byte[2], new int[1], CLASSES));
        assertThrows(IllegalArgumentException.class, () -> ImageSet.of(1, 1, 2, new byte[2], new int[1], CLASSES));
        assertThrows(IndexOutOfBoundsException.class, () -> ImageSet.of(1, 1, 1, new byte[1], new int[] {3}, CLASSES));
    }

    private static ImageSet set() {
        return ImageSet.of(1, 1, 1, new byte[] {0, 1, 2, 3, 4}, new int[] {0, 1, 2, 0, 1}, CLASSES);
    }
}
