package org.sapwood.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.sapwood.io.Npy;
import org.sapwood.io.UserException;

/**
 * NumPy archives with one array of images, uint8 [N, H, W] or [N, H, W, C], and one of integer labels, [N] or [N, 1],
 * under one of the usual pairs of names.
 */
final class NpzFiles {
    private static final int MAX_CLASSES = 100_000;

    /** Names of the two arrays, in the order in which they are looked for. */
    private record Pair(String images, String labels) {}

    private static final List<Pair> PAIRS = List.of(
            new Pair("images", "labels"),
            new Pair("x", "y"),
            new Pair("x_train", "y_train"),
            new Pair("train_images", "train_labels"));

    private NpzFiles() {}

    static boolean hasName(Path file) {
        return ImageSets.lowerName(file).endsWith(".npz");
    }

    static ImageSet read(Path path, ReadOptions options) throws IOException {
        try (ZipFile zip = new ZipFile(path.toFile())) {
            for (Pair pair : PAIRS) {
                ZipEntry images = zip.getEntry(pair.images() + ".npy");
                ZipEntry labels = zip.getEntry(pair.labels() + ".npy");
                if (images != null && labels != null) {
                    return assemble(path, array(path, zip, images), array(path, zip, labels), options);
                }
            }
            throw new UserException(path + " holds the arrays "
                    + zip.stream().map(ZipEntry::getName).sorted().toList() + ", expected one of these pairs: "
                    + PAIRS);
        }
    }

    private static Npy array(Path path, ZipFile zip, ZipEntry entry) throws IOException {
        try (InputStream in = zip.getInputStream(entry)) {
            return Npy.read(in, path + "!" + entry.getName());
        }
    }

    private static ImageSet assemble(Path path, Npy images, Npy labels, ReadOptions options) {
        int[] shape = images.shape();
        int channels = shape.length == 4 ? shape[3] : 1;
        boolean imageShaped = (shape.length == 3 || shape.length == 4) && (channels == 1 || channels == 3);
        if (!images.type().equals("u1") || !imageShaped || images.elementCount() == 0) {
            throw new UserException(path + ": images are " + images.type() + Arrays.toString(shape)
                    + ", expected u1 [N, H, W] or [N, H, W, C] with C = 1 or 3 and no extent 0");
        }
        int count = shape[0];
        if (labels.elementCount() != count || labels.shape().length == 0 || labels.shape()[0] != count) {
            throw new UserException(path + " holds " + labels.elementCount() + " labels for " + count
                    + " images; expected [N] or [N, 1]");
        }
        int classes = 0;
        for (int i = 0; i < count; i++) {
            long label = labels.integer(i);
            if (label < 0 || label >= MAX_CLASSES) {
                throw new UserException(
                        path + ": label " + label + " of image " + i + ", expected 0 to " + (MAX_CLASSES - 1));
            }
            classes = Math.max(classes, (int) label + 1);
        }
        int length = images.elementCount() / count;
        int from = options.subset().from();
        int to = options.subset().endIn(count, path.toString());
        return Assembly.of(
                to - from,
                IntStream.range(0, classes).mapToObj(Integer::toString).toList(),
                options,
                i -> (int) labels.integer(from + i),
                i -> {
                    int begin = (from + i) * length;
                    byte[] pixels = Arrays.copyOfRange(images.data(), begin, begin + length);
                    return new RawImage(shape[1], shape[2], channels, pixels);
                },
                i -> path + " image " + (from + i));
    }
}
