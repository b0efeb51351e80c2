package org.sapwood.evaluation;

import java.util.List;
import org.sapwood.data.ImageSet;
import org.sapwood.io.UserException;

/** Brings two image sets to one numbering of their classes; each source of images numbers them its own way. */
final class SameClasses {
    private SameClasses() {}

    /**
     * The images with the class numbers of {@code reference}, matched by class name. Classes that {@code images} lacks
     * are no error: a generator that has lost a class must be measured, not refused.
     *
     * @throws UserException if the sizes of the images differ or {@code images} has a class unknown to {@code reference}
     */
    static ImageSet align(ImageSet images, ImageSet reference) {
        requireSameSize(images, reference);
        List<String> names = reference.classNames();
        if (images.classNames().equals(names)) {
            return images;
        }
        byte[] pixels = new byte[Math.multiplyExact(images.size(), images.imageLength())];
        int[] labels = new int[images.size()];
        for (int i = 0; i < labels.length; i++) {
            String name = images.classNames().get(images.label(i));
            labels[i] = names.indexOf(name);
            if (labels[i] < 0) {
                throw new UserException("the training images of a classifier have a class '" + name
                        + "' that the test images lack; those have the classes " + names);
            }
            System.arraycopy(images.bytes(i), 0, pixels, i * images.imageLength(), images.imageLength());
        }
        return ImageSet.of(images.height(), images.width(), images.channels(), pixels, labels, names);
    }

    /**
     * Checks that images can be compared.
     *
     * @throws UserException if the sizes differ
     */
    static void requireSameSize(ImageSet images, ImageSet reference) {
        if (images.height() != reference.height()
                || images.width() != reference.width()
                || images.channels() != reference.channels()) {
            throw new UserException("images of " + shape(images) + " cannot be compared with images of "
                    + shape(reference) + "; evaluate images of one size and one number of channels");
        }
    }

    private static String shape(ImageSet images) {
        return images.height() + "x" + images.width() + "x" + images.channels();
    }
}
