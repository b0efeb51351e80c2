package org.sapwood.data;

/**
 * One decoded image before it joins a set.
 *
 * @param height rows
 * @param width columns
 * @param channels 1 or 3
 * @param pixels [height, width, channels] unsigned bytes, never changed after construction
 */
@SuppressWarnings("ArrayRecordComponent") // compared and printed nowhere; a carrier between reader and set
record RawImage(int height, int width, int channels, byte[] pixels) {
    boolean sameShape(RawImage other) {
        return height == other.height && width == other.width && channels == other.channels;
    }

    String shape() {
        return height + "x" + width + "x" + channels;
    }
}
