package org.sapwood.io;

import java.awt.Graphics2D;
import java.util.Locale;

/** Labels in a built-in 3×5 pixel alphabet, because a Java runtime in a slim container has no fonts. */
final class PixelText {
    private static final int COLUMNS = 3;
    private static final int ROWS = 5;
    private static final String KNOWN = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ -./_:=";

    /** One glyph per character of {@link #KNOWN}: 15 bits, row by row from the top left, most significant first. */
    private static final int[] GLYPHS = {
        0x7b6f, 0x2c97, 0x73e7, 0x72cf, 0x5bc9, 0x79cf, 0x79ef, 0x7292, 0x7bef, 0x7bcf,
        0x2bed, 0x6bae, 0x3923, 0x6b6e, 0x79a7, 0x79a4, 0x396b, 0x5bed, 0x7497, 0x126a,
        0x5bad, 0x4927, 0x5fed, 0x6b6d, 0x2b6a, 0x6ba4, 0x2b73, 0x6bad, 0x388e, 0x7492,
        0x5b6f, 0x5b6a, 0x5bfd, 0x5aad, 0x5a92, 0x72a7, 0x0000, 0x01c0, 0x0002, 0x12a4,
        0x0007, 0x0410, 0x0e38
    };

    private PixelText() {}

    static int width(int characters, int pixel) {
        return Math.max(0, characters * (COLUMNS + 1) - 1) * pixel;
    }

    static int height(int pixel) {
        return ROWS * pixel;
    }

    /** Draws in the current colour; characters without a glyph leave a blank. */
    static void draw(Graphics2D graphics, String text, int left, int top, int pixel) {
        String upper = text.toUpperCase(Locale.ROOT);
        for (int i = 0; i < upper.length(); i++) {
            int index = KNOWN.indexOf(upper.charAt(i));
            int bits = index < 0 ? 0 : GLYPHS[index];
            for (int cell = 0; cell < ROWS * COLUMNS; cell++) {
                if ((bits >> (ROWS * COLUMNS - 1 - cell) & 1) != 0) {
                    int x = left + (i * (COLUMNS + 1) + cell % COLUMNS) * pixel;
                    graphics.fillRect(x, top + cell / COLUMNS * pixel, pixel, pixel);
                }
            }
        }
    }
}
