package org.sapwood.report;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.sapwood.io.PngImages;

/** A picture that must not be larger than so many bytes. */
final class ContactSheet {
    private ContactSheet() {}

    /**
     * The file as it is, or shrunk to half its edges until it is small enough.
     *
     * @param file a PNG
     * @param most bytes
     * @return a PNG
     */
    static byte[] within(Path file, long most) throws IOException {
        byte[] png = Files.readAllBytes(file);
        if (png.length <= most) {
            return png;
        }
        BufferedImage image = PngImages.read(file);
        while (png.length > most && image.getWidth() > 1 && image.getHeight() > 1) {
            image = half(image);
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            ImageIO.write(image, "png", bytes);
            png = bytes.toByteArray();
        }
        return png;
    }

    private static BufferedImage half(BufferedImage image) {
        BufferedImage smaller =
                new BufferedImage(image.getWidth() / 2, image.getHeight() / 2, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = smaller.createGraphics();
        try {
            graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
            graphics.drawImage(image, 0, 0, smaller.getWidth(), smaller.getHeight(), null);
        } finally {
            graphics.dispose();
        }
        return smaller;
    }
}
