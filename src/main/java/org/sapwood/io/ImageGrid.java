package org.sapwood.io;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A contact sheet: images in rows on a dark ground, one labelled row per class, enlarged by whole pixels so that 28×28
 * can be read. Labels are drawn with a built-in pixel alphabet: a Java runtime without fonts (a slim container) still
 * writes the sheet.
 *
 * @param height rows of one image
 * @param width columns of one image
 * @param channels 1 or 3
 * @param scale edge in sheet pixels of one image pixel, at least 1
 */
public record ImageGrid(int height, int width, int channels, int scale) {
    private static final int GAP = 2;
    private static final int GROUND = 40;

    /**
     * One row of the sheet.
     *
     * @param label short text at the left, ASCII; empty for none
     * @param images each [height · width · channels] unsigned bytes
     */
    public record Row(String label, List<byte[]> images) {
        /** Takes a copy of the list. */
        public Row {
            images = List.copyOf(images);
        }
    }

    /** Checks the sizes. */
    public ImageGrid {
        if (height < 1 || width < 1 || scale < 1 || (channels != 1 && channels != 3)) {
            throw new IllegalArgumentException("height, width and scale must be >= 1 and channels 1 or 3, got " + height
                    + ", " + width + ", " + scale + ", " + channels);
        }
    }

    /**
     * A grid whose images come out at least 56 pixels high.
     *
     * @param height rows of one image
     * @param width columns of one image
     * @param channels 1 or 3
     * @return the grid
     */
    public static ImageGrid readable(int height, int width, int channels) {
        return new ImageGrid(height, width, channels, Math.max(1, Math.ceilDiv(56, height)));
    }

    /**
     * Writes a sheet of images in model space, {@code columns} to a row, without labels.
     *
     * @param path the PNG file
     * @param images [n, height, width, channels], nominally in [−1, 1]
     * @param columns images per row, at least 1
     * @throws UserException when the file cannot be written
     */
    public void write(Path path, float[] images, int columns) {
        int size = height * width * channels;
        if (images.length == 0 || images.length % size != 0) {
            throw new IllegalArgumentException(
                    "images must hold whole images of " + size + " values, got " + images.length);
        }
        byte[] bytes = PngImages.toBytes(images);
        List<byte[]> all = new ArrayList<>();
        for (int from = 0; from < bytes.length; from += size) {
            all.add(Arrays.copyOfRange(bytes, from, from + size));
        }
        List<Row> rows = new ArrayList<>();
        for (int from = 0; from < all.size(); from += columns) {
            rows.add(new Row("", all.subList(from, Math.min(all.size(), from + columns))));
        }
        write(path, rows);
    }

    /**
     * Writes a sheet with one labelled row after the other.
     *
     * @param path the PNG file
     * @param rows at least one, not all empty
     * @throws UserException when the file cannot be written
     */
    public void write(Path path, List<Row> rows) {
        PngImages.write(path, render(rows));
    }

    /**
     * Draws the sheet.
     *
     * @param rows at least one, not all empty
     * @return a grey picture for one channel, an RGB one for three
     */
    public BufferedImage render(List<Row> rows) {
        int columns = rows.stream().mapToInt(row -> row.images().size()).max().orElse(0);
        if (columns == 0) {
            throw new IllegalArgumentException("a sheet needs at least one image");
        }
        int letter = Math.max(1, height * scale / 28);
        int longest = rows.stream().mapToInt(row -> row.label().length()).max().orElse(0);
        int margin = longest == 0 ? GAP : 2 * GAP + PixelText.width(longest, letter);
        int cellHeight = height * scale + GAP;
        int cellWidth = width * scale + GAP;
        BufferedImage sheet = PngImages.blank(GAP + rows.size() * cellHeight, margin + columns * cellWidth, channels);
        Graphics2D graphics = sheet.createGraphics();
        try {
            graphics.setColor(new Color(GROUND, GROUND, GROUND));
            graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
            graphics.setColor(Color.WHITE);
            for (int r = 0; r < rows.size(); r++) {
                int top = GAP + r * cellHeight;
                int textTop = top + (height * scale - PixelText.height(letter)) / 2;
                PixelText.draw(graphics, rows.get(r).label(), GAP, textTop, letter);
                List<byte[]> images = rows.get(r).images();
                for (int c = 0; c < images.size(); c++) {
                    requireSize(images.get(c));
                    PngImages.paint(
                            sheet, margin + c * cellWidth, top, scale, images.get(c), 0, height, width, channels);
                }
            }
        } finally {
            graphics.dispose();
        }
        return sheet;
    }

    private void requireSize(byte[] image) {
        if (image.length != height * width * channels) {
            throw new IllegalArgumentException(
                    "an image must hold " + height * width * channels + " bytes, got " + image.length);
        }
    }
}
