package org.sapwood.nn;

/**
 * A feature map of one image on the heap.
 *
 * @param values [height·width, channels]; owned by whoever made it last
 * @param height in pixels
 * @param width in pixels
 * @param channels C
 */
@SuppressWarnings("ArrayRecordComponent") // handed on at once, never compared
record HostMap(float[] values, int height, int width, int channels) {
    HostMap {
        if (values.length != height * width * channels) {
            throw new IllegalArgumentException(
                    values.length + " values are no map of " + height + "x" + width + "x" + channels);
        }
    }
}
