package org.sapwood.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageGridTest {
    @TempDir
    private Path folder;

    @Test
    void modelSpaceMapsToBytes() {
        assertArrayEquals(
                new byte[] {0, (byte) 128, (byte) 255, 0, (byte) 255, 0},
                PngImages.toBytes(new float[] {-1, 0, 1, -7, 1e9f, Float.NaN}));
    }

    @Test
    void aGreyPngKeepsEverySample() {
        byte[] pixels = {0, 50, 100, (byte) 150, (byte) 200, (byte) 255};
        Path file = folder.resolve("g.png");
        PngImages.write(file, pixels, 2, 3, 1);
        BufferedImage read = PngImages.read(file);
        assertEquals(3, read.getWidth());
        for (int i = 0; i < pixels.length; i++) {
            assertEquals(pixels[i] & 0xff, read.getRaster().getSample(i % 3, i / 3, 0));
        }
    }

    @Test
    void aColourPngKeepsItsChannels() {
        Path file = folder.resolve("c.png");
        PngImages.write(file, new byte[] {(byte) 255, 0, 0, 1, 2, 3}, 1, 2, 3);
        BufferedImage read = PngImages.read(file);
        assertEquals(0xffff0000, read.getRGB(0, 0));
        assertEquals(0xff010203, read.getRGB(1, 0));
    }

    @Test
    void imagesStandInTheirCells() {
        ImageGrid grid = new ImageGrid(1, 1, 1, 3);
        Path file = folder.resolve("sheet.png");
        grid.write(file, new float[] {-1, 0, 1}, 2);
        BufferedImage sheet = PngImages.read(file);
        assertEquals(2 + 2 * 5, sheet.getWidth());
        assertEquals(2 + 2 * 5, sheet.getHeight());
        assertEquals(0, sheet.getRaster().getSample(2, 2, 0));
        assertEquals(128, sheet.getRaster().getSample(9, 4, 0));
        assertEquals(255, sheet.getRaster().getSample(2, 7, 0));
        assertEquals(40, sheet.getRaster().getSample(8, 8, 0));
    }

    @Test
    void labelsTakeTheirOwnMargin() {
        ImageGrid grid = ImageGrid.readable(28, 28, 1);
        byte[] black = new byte[28 * 28];
        BufferedImage plain = grid.render(List.of(new ImageGrid.Row("", List.of(black))));
        BufferedImage labelled = grid.render(List.of(new ImageGrid.Row("7a", List.of(black))));
        assertEquals(56, grid.height() * grid.scale());
        int margin = labelled.getWidth() - plain.getWidth();
        assertEquals(2 + 7 * 2, margin);
        int white = 0;
        for (int y = 0; y < labelled.getHeight(); y++) {
            for (int x = 0; x < margin; x++) {
                white += labelled.getRaster().getSample(x, y, 0) == 255 ? 1 : 0;
            }
        }
        assertEquals(4 * (7 + 10), white, "7 and A have 7 and 10 cells of 2×2 pixels");
    }

    @Test
    void wrongSizesAreRefused() throws IOException {
        ImageGrid grid = new ImageGrid(2, 2, 1, 1);
        Path file = folder.resolve("sheet.png");
        assertThrows(IllegalArgumentException.class, () -> grid.write(file, new float[5], 1));
        assertThrows(IllegalArgumentException.class, () -> grid.write(file, List.of()));
        assertThrows(IllegalArgumentException.class, () -> new ImageGrid(2, 2, 2, 1));
        assertThrows(
                IllegalArgumentException.class,
                () -> grid.write(file, List.of(new ImageGrid.Row("", List.of(new byte[3])))));
        assertThrows(UserException.class, () -> PngImages.read(Files.writeString(file, "no image")));
    }
}
