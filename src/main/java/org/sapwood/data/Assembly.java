package org.sapwood.data;

import java.util.List;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.IntFunction;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.sapwood.io.UserException;

/** Converts images and lays them out in one array, in parallel; the result and any error depend on the files alone. */
final class Assembly {
    private Assembly() {}

    /**
     * Makes a set.
     *
     * @param count number of images, at least 1
     * @param classNames the classes
     * @param options what to do to each image
     * @param label class of image i
     * @param image decodes image i; called from several threads
     * @param name names image i in messages
     */
    static ImageSet of(
            int count,
            List<String> classNames,
            ReadOptions options,
            IntUnaryOperator label,
            IntFunction<RawImage> image,
            IntFunction<String> name) {
        RawImage first = Conversion.apply(image.apply(0), options);
        int length = first.pixels().length;
        if ((long) count * length > Integer.MAX_VALUE - Long.BYTES) {
            throw new UserException("the images of " + first.shape()
                    + " samples take more than 2 GiB together; choose fewer with --subset or smaller ones with --size");
        }
        byte[] pixels = new byte[count * length];
        ConcurrentSkipListMap<Integer, UserException> failures = new ConcurrentSkipListMap<>();
        IntStream.range(0, count).parallel().forEach(i -> {
            try {
                RawImage converted = Conversion.apply(image.apply(i), options);
                if (!converted.sameShape(first)) {
                    throw new UserException(
                            name.apply(i) + " is " + converted.shape() + " (rows x columns x channels), but "
                                    + name.apply(0) + " is " + first.shape()
                                    + "; make them one with --size N and --channels grey or rgb");
                }
                System.arraycopy(converted.pixels(), 0, pixels, i * length, length);
            } catch (UserException e) {
                failures.put(i, e);
            }
        });
        if (!failures.isEmpty()) {
            throw failures.firstEntry().getValue();
        }
        int[] labels = IntStream.range(0, count).map(label).toArray();
        return ImageSet.owning(first.height(), first.width(), first.channels(), pixels, labels, classNames);
    }
}
