package org.sapwood.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.sapwood.data.ReadOptions.Channels;

class ConversionTest {
    private static final ReadOptions AS_STORED = ReadOptions.asStored();

    @Test
    void nothingAskedChangesNothing() {
        RawImage image = grey(1, 2, 3, 4);
        assertSame(image, Conversion.apply(image, AS_STORED));
        assertSame(image, Conversion.apply(image, AS_STORED.withSize(2).withChannels(Channels.GREY)));
    }

    @Test
    void shrinkingAveragesTheAreaCovered() {
        RawImage image = new RawImage(3, 3, 1, bytes(0, 90, 180, 0, 90, 180, 0, 90, 180));
        // Each output pixel covers 1.5 input pixels per axis: (0 + 90/2) / 1.5 and (90/2 + 180) / 1.5.
        assertArrayEquals(
                bytes(30, 150, 30, 150),
                Conversion.apply(image, AS_STORED.withSize(2)).pixels());
    }

    @Test
    void growingInterpolatesBetweenPixelCentres() {
        RawImage image = new RawImage(2, 2, 1, bytes(0, 100, 0, 100));
        byte[] row =
                Arrays.copyOf(Conversion.apply(image, AS_STORED.withSize(4)).pixels(), 4);
        assertArrayEquals(bytes(0, 25, 75, 100), row);
        assertArrayEquals(
                bytes(7, 7, 7, 7, 7, 7, 7, 7, 7),
                Conversion.apply(new RawImage(1, 1, 1, bytes(7)), AS_STORED.withSize(3))
                        .pixels());
    }

    @Test
    void aFlatImageStaysFlatAtAnySize() {
        for (int from = 1; from < 12; from++) {
            byte[] flat = new byte[from * from * 3];
            Arrays.fill(flat, (byte) 201);
            for (int to = 1; to < 12; to++) {
                RawImage out = Conversion.apply(new RawImage(from, from, 3, flat), AS_STORED.withSize(to));
                byte[] expected = new byte[to * to * 3];
                Arrays.fill(expected, (byte) 201);
                assertArrayEquals(expected, out.pixels(), from + " to " + to);
            }
        }
    }

    @Test
    void aRectangleIsCroppedInItsMiddle() {
        RawImage wide = new RawImage(1, 5, 1, bytes(1, 2, 3, 4, 5));
        assertArrayEquals(
                bytes(3), Conversion.apply(wide, AS_STORED.withSize(1)).pixels());
        RawImage tall = new RawImage(4, 2, 1, bytes(1, 2, 3, 4, 5, 6, 7, 8));
        assertArrayEquals(
                bytes(3, 4, 5, 6), Conversion.apply(tall, AS_STORED.withSize(2)).pixels());
    }

    @Test
    void channelsFollowBt601() {
        RawImage colours = new RawImage(1, 4, 3, bytes(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255));
        assertArrayEquals(
                bytes(76, 150, 29, 255),
                Conversion.apply(colours, AS_STORED.withChannels(Channels.GREY)).pixels());
        RawImage rgb = Conversion.apply(grey(1, 9, 2, 3), AS_STORED.withChannels(Channels.RGB));
        assertEquals(3, rgb.channels());
        assertArrayEquals(bytes(1, 1, 1, 9, 9, 9), Arrays.copyOf(rgb.pixels(), 6));
    }

    @Test
    void inversionTurnsInkToLight() {
        assertArrayEquals(
                bytes(255, 0, 155, 254),
                Conversion.apply(grey(0, 255, 100, 1), AS_STORED.withInvert(true))
                        .pixels());
    }

    private static RawImage grey(int... samples) {
        return new RawImage(2, 2, 1, bytes(samples));
    }

    private static byte[] bytes(int... samples) {
        byte[] out = new byte[samples.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = (byte) samples[i];
        }
        return out;
    }
}
