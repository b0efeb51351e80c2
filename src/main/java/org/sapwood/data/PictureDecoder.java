package org.sapwood.data;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.sapwood.io.UserException;

/** Decodes PNG and JPEG to bytes: grey stays one sample, everything else becomes RGB, transparency shows white paper. */
final class PictureDecoder {
    /** Above this an image is refused before its pixels are decoded: a few kilobytes can claim gigapixels. */
    private static final long MAX_PIXELS = 1L << 25;

    private static final int PAPER = 255;

    private PictureDecoder() {}

    static RawImage decode(byte[] file, String name) {
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw new UserException(name + " is not a PNG or JPEG image, whatever its name says");
            }
            ImageReader reader = readers.next();
            try {
                reader.setInput(in, true, true);
                long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
                if (pixels > MAX_PIXELS) {
                    throw new UserException(name + " claims " + reader.getWidth(0) + "x" + reader.getHeight(0)
                            + " pixels, expected at most " + MAX_PIXELS + " in all");
                }
                return raw(reader.read(0));
            } finally {
                reader.dispose();
            }
        } catch (IOException | RuntimeException e) {
            // ImageIO's readers answer some damaged files with unchecked exceptions.
            if (e instanceof UserException userException) {
                throw userException;
            }
            throw new UserException(name + " is damaged or of an unknown kind: " + e.getMessage(), e);
        }
    }

    private static RawImage raw(BufferedImage image) {
        ColorModel colors = image.getColorModel();
        boolean indexed = colors instanceof IndexColorModel;
        boolean grey = indexed
                ? isGrey((IndexColorModel) colors)
                : colors.getColorSpace().getType() == ColorSpace.TYPE_GRAY;
        if (grey && !indexed) {
            return greySamples(image);
        }
        int channels = grey ? 1 : 3;
        int height = image.getHeight();
        int width = image.getWidth();
        byte[] out = new byte[height * width * channels];
        int[] row = new int[width];
        for (int y = 0; y < height; y++) {
            image.getRGB(0, y, width, 1, row, 0, width);
            for (int x = 0; x < width; x++) {
                int alpha = row[x] >>> 24;
                int at = (y * width + x) * channels;
                for (int c = 0; c < channels; c++) {
                    out[at + c] = onPaper(row[x] >> (16 - 8 * c) & 0xff, alpha, PAPER);
                }
            }
        }
        return new RawImage(height, width, channels, out);
    }

    /** Takes grey samples as they are: {@code getRGB} would pass them through a change of gamma. */
    private static RawImage greySamples(BufferedImage image) {
        Raster raster = image.getRaster();
        int height = image.getHeight();
        int width = image.getWidth();
        int max = (1 << raster.getSampleModel().getSampleSize(0)) - 1;
        boolean transparent = image.getColorModel().hasAlpha();
        byte[] out = new byte[height * width];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int alpha = transparent ? raster.getSample(x, y, 1) : max;
                out[y * width + x] = onPaper(raster.getSample(x, y, 0), alpha, max);
            }
        }
        return new RawImage(height, width, 1, out);
    }

    /** Lays a sample with its transparency over white paper and scales it to 0–255, rounding to nearest. */
    private static byte onPaper(int sample, int alpha, int max) {
        long mixed = (long) sample * alpha + (long) max * (max - alpha);
        long full = (long) max * max;
        return (byte) ((mixed * PAPER + full / 2) / full);
    }

    private static boolean isGrey(IndexColorModel colors) {
        for (int i = 0; i < colors.getMapSize(); i++) {
            if (colors.getRed(i) != colors.getGreen(i) || colors.getRed(i) != colors.getBlue(i)) {
                return false;
            }
        }
        return true;
    }
}
