package org.sapwood.data;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * An immutable set of labelled images of one size, one byte per sample, NHWC. Model space is [−1, 1]: byte 0 is −1, byte
 * 255 is 1.
 *
 * <p>{@link #toString} tells the shape and the number of classes only: the number of images of a private set is itself
 * private under add/remove neighbours, so it is left to callers that may use it.
 */
public final class ImageSet {
    private static final float HALF_RANGE = 127.5f;

    private final int height;
    private final int width;
    private final int channels;
    private final byte[] pixels;
    private final int[] labels;
    private final List<String> classNames;
    /** Index in {@link #pixels} and {@link #labels} of the first image; subsets share both arrays. */
    private final int first;

    private final int size;

    private ImageSet(
            int height,
            int width,
            int channels,
            byte[] pixels,
            int[] labels,
            List<String> classNames,
            int first,
            int size) {
        this.height = height;
        this.width = width;
        this.channels = channels;
        this.pixels = pixels;
        this.labels = labels;
        this.classNames = classNames;
        this.first = first;
        this.size = size;
    }

    /**
     * Makes a set of images, taking copies of the arrays.
     *
     * @param height rows, at least 1
     * @param width columns, at least 1
     * @param channels 1 (grey) or 3 (RGB)
     * @param pixels [n, height, width, channels] unsigned bytes
     * @param labels [n] class indices in [0, classNames.size())
     * @param classNames the classes in the order of their index
     * @return the set
     * @throws IllegalArgumentException when the arrays do not fit together
     */
    public static ImageSet of(
            int height, int width, int channels, byte[] pixels, int[] labels, List<String> classNames) {
        return owning(height, width, channels, pixels.clone(), labels.clone(), classNames);
    }

    /** As {@link #of}, but the arrays now belong to the set: for readers that have just filled them. */
    static ImageSet owning(int height, int width, int channels, byte[] pixels, int[] labels, List<String> classNames) {
        if (height < 1 || width < 1 || (channels != 1 && channels != 3)) {
            throw new IllegalArgumentException(
                    "height and width must be >= 1 and channels 1 or 3, got " + height + "x" + width + "x" + channels);
        }
        if (pixels.length != (long) labels.length * height * width * channels) {
            throw new IllegalArgumentException("pixels and labels disagree about the number of images");
        }
        for (int label : labels) {
            Objects.checkIndex(label, classNames.size());
        }
        return new ImageSet(height, width, channels, pixels, labels, List.copyOf(classNames), 0, labels.length);
    }

    /**
     * The number of images. Private when the set is.
     *
     * @return at least 0
     */
    public int size() {
        return size;
    }

    /**
     * Rows of an image.
     *
     * @return at least 1
     */
    public int height() {
        return height;
    }

    /**
     * Columns of an image.
     *
     * @return at least 1
     */
    public int width() {
        return width;
    }

    /**
     * Samples of a pixel.
     *
     * @return 1 (grey) or 3 (RGB)
     */
    public int channels() {
        return channels;
    }

    /**
     * Samples of an image.
     *
     * @return height · width · channels
     */
    public int imageLength() {
        return height * width * channels;
    }

    /**
     * The number of classes, also those that no image of a subset has.
     *
     * @return at least 1 unless the set is empty
     */
    public int classCount() {
        return classNames.size();
    }

    /**
     * The classes in the order of their index.
     *
     * @return unmodifiable
     */
    public List<String> classNames() {
        return classNames;
    }

    /**
     * The class of an image.
     *
     * @param index in [0, size)
     * @return in [0, classCount)
     */
    public int label(int index) {
        return labels[first + Objects.checkIndex(index, size)];
    }

    /**
     * The classes of all images.
     *
     * @return a fresh array, [size]
     */
    public int[] labels() {
        return Arrays.copyOfRange(labels, first, first + size);
    }

    /**
     * The bytes of an image.
     *
     * @param index in [0, size)
     * @return a fresh array, [height, width, channels]
     */
    public byte[] bytes(int index) {
        int from = start(index);
        return Arrays.copyOfRange(pixels, from, from + imageLength());
    }

    /**
     * Writes an image in model space.
     *
     * @param index in [0, size)
     * @param target receives [height, width, channels] values in [−1, 1]
     * @param offset where the first one goes
     */
    public void copyImage(int index, float[] target, int offset) {
        int from = start(index);
        int length = imageLength();
        for (int i = 0; i < length; i++) {
            target[offset + i] = (pixels[from + i] & 0xff) / HALF_RANGE - 1f;
        }
    }

    /**
     * All images in model space.
     *
     * @return a fresh array, [size, height, width, channels] in [−1, 1]
     */
    public float[] toFloats() {
        float[] out = new float[Math.multiplyExact(size, imageLength())];
        for (int i = 0; i < size; i++) {
            copyImage(i, out, i * imageLength());
        }
        return out;
    }

    /**
     * A range of the images, with all classes. The pixels are shared, not copied.
     *
     * @param from first index
     * @param to one past the last index, at most {@link #size}
     * @return the range as a set
     */
    public ImageSet subset(int from, int to) {
        Objects.checkFromToIndex(from, to, size);
        return new ImageSet(height, width, channels, pixels, labels, classNames, first + from, to - from);
    }

    /**
     * Chosen images, in the given order, with all classes.
     *
     * @param indices each in [0, size)
     * @return a new set
     */
    public ImageSet select(int[] indices) {
        int length = imageLength();
        byte[] chosen = new byte[Math.multiplyExact(indices.length, length)];
        int[] chosenLabels = new int[indices.length];
        for (int i = 0; i < indices.length; i++) {
            System.arraycopy(pixels, start(indices[i]), chosen, i * length, length);
            chosenLabels[i] = label(indices[i]);
        }
        return owning(height, width, channels, chosen, chosenLabels, classNames);
    }

    /** The shape of an image and the number of classes, nothing about the images themselves. */
    @Override
    public String toString() {
        return "ImageSet[" + height + "x" + width + "x" + channels + ", " + classNames.size() + " classes]";
    }

    private int start(int index) {
        return (first + Objects.checkIndex(index, size)) * imageLength();
    }
}
