package org.sapwood.data;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.sapwood.io.UserException;

/**
 * What to do to images while reading them. Start from {@link #asStored()} and add.
 *
 * @param size edge of the square that images are cropped to (centre) and resized to, in pixels; empty leaves them as
 *     they are
 * @param invert whether every sample v becomes 255 − v (dark strokes on white paper to light ones on black)
 * @param channels grey, RGB or as the files have it
 * @param subset which images to keep, by index in the order of the set
 * @param labels the IDX labels file, empty to look for it beside the images
 */
public record ReadOptions(OptionalInt size, boolean invert, Channels channels, Subset subset, Optional<Path> labels) {
    /** The largest edge accepted, in pixels. */
    public static final int MAX_SIZE = 4096;

    /** The samples of a pixel. */
    public enum Channels {
        /** What the files have; files that disagree are refused. */
        AS_STORED,
        /** One sample; RGB is reduced by BT.601 luma. */
        GREY,
        /** Three samples; grey is repeated. */
        RGB
    }

    /**
     * A range of indices.
     *
     * @param from first index, at least 0
     * @param to one past the last index; empty for the end of the set
     */
    public record Subset(int from, OptionalInt to) {
        /** All images. */
        public static final Subset ALL = new Subset(0, OptionalInt.empty());

        /** Checks that the range is not empty. */
        public Subset {
            if (from < 0 || (to.isPresent() && to.getAsInt() <= from)) {
                throw new UserException("--subset must be FROM:TO with 0 <= FROM < TO, got " + text(from, to));
            }
        }

        /**
         * Parses the form of the command line.
         *
         * @param text {@code FROM:TO}, either side may be left out
         * @return the range
         * @throws UserException when the text has another form
         */
        public static Subset parse(String text) {
            int colon = text.indexOf(':');
            try {
                if (colon >= 0) {
                    String from = text.substring(0, colon);
                    String to = text.substring(colon + 1);
                    return new Subset(
                            from.isEmpty() ? 0 : Integer.parseInt(from),
                            to.isEmpty() ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(to)));
                }
            } catch (NumberFormatException e) {
                throw new UserException("--subset must be FROM:TO, for example 0:8000, got " + text, e);
            }
            throw new UserException("--subset must be FROM:TO, for example 0:8000, got " + text);
        }

        /**
         * The end of the range in a set of a given size.
         *
         * @param size the number of images of the whole set
         * @param source names the set in the message
         * @return one past the last index
         * @throws UserException when the range reaches beyond the set
         */
        int endIn(int size, String source) {
            int end = to.orElse(size);
            if (end > size || from >= end) {
                throw new UserException("--subset " + this + " reaches beyond the " + size + " images of " + source);
            }
            return end;
        }

        @Override
        public String toString() {
            return text(from, to);
        }

        private static String text(int from, OptionalInt to) {
            return from + ":" + (to.isPresent() ? to.getAsInt() : "");
        }
    }

    /** Checks the size. */
    public ReadOptions {
        if (size.isPresent() && (size.getAsInt() < 1 || size.getAsInt() > MAX_SIZE)) {
            throw new UserException("--size must be between 1 and " + MAX_SIZE + ", got " + size.getAsInt());
        }
    }

    /**
     * Everything as the files have it.
     *
     * @return the options
     */
    public static ReadOptions asStored() {
        return new ReadOptions(OptionalInt.empty(), false, Channels.AS_STORED, Subset.ALL, Optional.empty());
    }

    /**
     * With another size.
     *
     * @param edge pixels, 1 to {@link #MAX_SIZE}
     * @return the changed options
     */
    public ReadOptions withSize(int edge) {
        return new ReadOptions(OptionalInt.of(edge), invert, channels, subset, labels);
    }

    /**
     * With or without inversion.
     *
     * @param inverted whether to invert
     * @return the changed options
     */
    public ReadOptions withInvert(boolean inverted) {
        return new ReadOptions(size, inverted, channels, subset, labels);
    }

    /**
     * With other channels.
     *
     * @param wanted grey, RGB or as stored
     * @return the changed options
     */
    public ReadOptions withChannels(Channels wanted) {
        return new ReadOptions(size, invert, wanted, subset, labels);
    }

    /**
     * With another range of images.
     *
     * @param range the range
     * @return the changed options
     */
    public ReadOptions withSubset(Subset range) {
        return new ReadOptions(size, invert, channels, range, labels);
    }

    /**
     * With a given IDX labels file.
     *
     * @param file the labels file
     * @return the changed options
     */
    public ReadOptions withLabels(Path file) {
        return new ReadOptions(size, invert, channels, subset, Optional.of(file));
    }
}
