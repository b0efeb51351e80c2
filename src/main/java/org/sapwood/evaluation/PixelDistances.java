package org.sapwood.evaluation;

import org.sapwood.data.ImageSet;
import org.sapwood.io.UserException;

/** Nearest images by exact pixel distance. Sums are integers, so equal images are found to be equal. */
final class PixelDistances {
    /** Pixels after which a candidate that is already too far is left. */
    private static final int STRIDE = 64;

    private static final double RANGE = 255;

    private final byte[][] images;

    /** A search among these images. */
    PixelDistances(ImageSet images) {
        if (images.size() == 0) {
            throw new UserException("there is no training image to be near to");
        }
        this.images = new byte[images.size()][];
        for (int i = 0; i < this.images.length; i++) {
            this.images[i] = images.bytes(i);
        }
    }

    /** The nearest image to {@code image}, the first of several; {@code index} is that of the image in its own set. */
    NearestTrainingImages.Pair nearest(byte[] image, int index) {
        int best = 0;
        long least = Long.MAX_VALUE;
        for (int j = 0; j < images.length; j++) {
            long distance = squaredUpTo(image, images[j], least);
            if (distance < least) {
                least = distance;
                best = j;
            }
        }
        return new NearestTrainingImages.Pair(index, best, Math.sqrt((double) least) / RANGE);
    }

    /** The squared distance, or some part of it that is at least {@code limit}. */
    private static long squaredUpTo(byte[] a, byte[] b, long limit) {
        long sum = 0;
        for (int from = 0; from < a.length && sum < limit; from += STRIDE) {
            sum += squared(a, b, from, Math.min(a.length, from + STRIDE));
        }
        return sum;
    }

    private static int squared(byte[] a, byte[] b, int from, int to) {
        int sum = 0;
        for (int i = from; i < to; i++) {
            int difference = (a[i] & 0xff) - (b[i] & 0xff);
            sum += difference * difference;
        }
        return sum;
    }
}
