package org.sapwood.data;

import org.sapwood.data.ReadOptions.Channels;

/** Applies {@link ReadOptions} to one image: channels, then centre crop and resize, then inversion. */
final class Conversion {
    /** BT.601 luma weights in 1/65536, adding up to exactly 1. */
    private static final int RED = 19595;

    private static final int GREEN = 38470;
    private static final int BLUE = 7471;

    private Conversion() {}

    static RawImage apply(RawImage image, ReadOptions options) {
        RawImage out = channels(image, options.channels());
        if (options.size().isPresent()) {
            int edge = options.size().getAsInt();
            out = Resampler.resize(centreSquare(out), edge, edge);
        }
        return options.invert() ? invert(out) : out;
    }

    private static RawImage channels(RawImage image, Channels wanted) {
        return switch (wanted) {
            case AS_STORED -> image;
            case GREY -> image.channels() == 1 ? image : grey(image);
            case RGB -> image.channels() == 3 ? image : rgb(image);
        };
    }

    private static RawImage grey(RawImage image) {
        byte[] in = image.pixels();
        byte[] out = new byte[in.length / 3];
        for (int i = 0; i < out.length; i++) {
            int luma = RED * (in[3 * i] & 0xff) + GREEN * (in[3 * i + 1] & 0xff) + BLUE * (in[3 * i + 2] & 0xff);
            out[i] = (byte) ((luma + (1 << 15)) >> 16);
        }
        return new RawImage(image.height(), image.width(), 1, out);
    }

    private static RawImage rgb(RawImage image) {
        byte[] in = image.pixels();
        byte[] out = new byte[in.length * 3];
        for (int i = 0; i < out.length; i++) {
            out[i] = in[i / 3];
        }
        return new RawImage(image.height(), image.width(), 3, out);
    }

    /** The largest square in the middle, so that resizing never distorts. */
    private static RawImage centreSquare(RawImage image) {
        int edge = Math.min(image.height(), image.width());
        if (image.height() == image.width()) {
            return image;
        }
        int top = (image.height() - edge) / 2;
        int left = (image.width() - edge) / 2;
        int rowBytes = edge * image.channels();
        byte[] out = new byte[edge * rowBytes];
        for (int y = 0; y < edge; y++) {
            int from = ((top + y) * image.width() + left) * image.channels();
            System.arraycopy(image.pixels(), from, out, y * rowBytes, rowBytes);
        }
        return new RawImage(edge, edge, image.channels(), out);
    }

    private static RawImage invert(RawImage image) {
        byte[] out = new byte[image.pixels().length];
        for (int i = 0; i < out.length; i++) {
            out[i] = (byte) ~image.pixels()[i];
        }
        return new RawImage(image.height(), image.width(), image.channels(), out);
    }
}
