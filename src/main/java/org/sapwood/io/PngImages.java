package org.sapwood.io;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/**
 * Images in memory to and from PNG files. An image is H·W·C bytes, row-major with channels last, C = 1 (grey) or 3
 * (RGB); model space is [−1, 1], file space 0–255.
 */
public final class PngImages {
    private PngImages() {}

    /**
     * Maps a value of model space to a byte, clamping what lies outside.
     *
     * @param value nominally in [−1, 1]; NaN becomes 0
     * @return 0–255 as an unsigned byte
     */
    public static byte toByte(float value) {
        return (byte) Math.clamp(Math.round((value + 1f) * 127.5f), 0, 255);
    }

    /**
     * Maps images of model space to bytes.
     *
     * @param values nominally in [−1, 1]
     * @return as many unsigned bytes
     */
    public static byte[] toBytes(float[] values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = toByte(values[i]);
        }
        return bytes;
    }

    /**
     * Writes one image atomically.
     *
     * @param path the PNG file
     * @param pixels [height · width · channels] unsigned bytes
     * @param height rows
     * @param width columns
     * @param channels 1 or 3
     * @throws UserException when the file cannot be written
     */
    public static void write(Path path, byte[] pixels, int height, int width, int channels) {
        BufferedImage image = blank(height, width, channels);
        paint(image, 0, 0, 1, pixels, 0, height, width, channels);
        write(path, image);
    }

    /**
     * Writes a picture atomically.
     *
     * @param path the PNG file
     * @param image what to write
     * @throws UserException when the file cannot be written
     */
    public static void write(Path path, BufferedImage image) {
        try {
            ByteArrayOutputStream png = new ByteArrayOutputStream();
            if (!ImageIO.write(image, "png", png)) {
                throw new IllegalArgumentException("no PNG form for image type " + image.getType());
            }
            AtomicFiles.write(path, png.toByteArray());
        } catch (IOException e) {
            throw new UserException(IoReasons.of(e), e);
        }
    }

    /**
     * Reads a picture of any format the Java runtime knows (PNG, JPEG, GIF, BMP).
     *
     * @param path the file
     * @return the decoded picture
     * @throws UserException when the file cannot be read or decoded
     */
    public static BufferedImage read(Path path) {
        try (InputStream in = Files.newInputStream(path)) {
            BufferedImage image = ImageIO.read(in);
            if (image == null) {
                throw new UserException(path + " is not an image that can be read (PNG or JPEG)");
            }
            return image;
        } catch (IOException e) {
            throw new UserException("cannot read " + path + ": " + IoReasons.of(e), e);
        }
    }

    /** A black picture of grey or RGB pixels. */
    static BufferedImage blank(int height, int width, int channels) {
        return new BufferedImage(
                width,
                height,
                switch (channels) {
                    case 1 -> BufferedImage.TYPE_BYTE_GRAY;
                    case 3 -> BufferedImage.TYPE_INT_RGB;
                    default -> throw new IllegalArgumentException("channels must be 1 or 3, got " + channels);
                });
    }

    /** Paints one image with its corner at (left, top), each pixel as a square of {@code scale} pixels. */
    static void paint(
            BufferedImage target,
            int left,
            int top,
            int scale,
            byte[] pixels,
            int offset,
            int height,
            int width,
            int channels) {
        int[] sample = new int[channels];
        for (int y = 0; y < height * scale; y++) {
            for (int x = 0; x < width * scale; x++) {
                int from = offset + ((y / scale) * width + x / scale) * channels;
                for (int c = 0; c < channels; c++) {
                    sample[c] = Byte.toUnsignedInt(pixels[from + c]);
                }
                target.getRaster().setPixel(left + x, top + y, sample);
            }
        }
    }
}
