package org.sapwood.data;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.sapwood.io.UserException;

/**
 * IDX, the format of MNIST and its relatives: a magic number that tells type and rank, the extents (big-endian), the
 * bytes. Images are rank 3, labels rank 1.
 *
 * @see <a href="http://yann.lecun.com/exdb/mnist/">the format</a>
 */
final class IdxFiles {
    private static final int IMAGES_MAGIC = 0x00000803;
    private static final int LABELS_MAGIC = 0x00000801;
    private static final int GZIP_FIRST = 0x1f;
    private static final int GZIP_SECOND = 0x8b;
    private static final int LABEL_VALUES = 256;
    private static final Pattern IMAGES_NAME = Pattern.compile(".*images.idx3.ubyte(\\.gz)?");

    private IdxFiles() {}

    static boolean isImagesFile(Path file) {
        return IMAGES_NAME.matcher(ImageSets.lowerName(file)).matches();
    }

    static ImageSet read(Path path, ReadOptions options) throws IOException {
        Path imagesFile = Files.isDirectory(path) ? onlyImagesFile(path) : path;
        Path labelsFile = options.labels().isPresent() ? options.labels().get() : labelsBeside(imagesFile);
        int[] extents = new int[3];
        byte[] pixels = readArray(imagesFile, IMAGES_MAGIC, extents);
        int[] labelExtent = new int[1];
        byte[] labels = readArray(labelsFile, LABELS_MAGIC, labelExtent);
        int count = extents[0];
        if (count == 0 || extents[1] == 0 || extents[2] == 0) {
            throw new UserException(imagesFile + " holds no images");
        }
        if (labelExtent[0] != count) {
            throw new UserException(labelsFile + " holds " + labelExtent[0] + " labels, but " + imagesFile + " holds "
                    + count + " images; expected as many");
        }
        int classes =
                1 + IntStream.range(0, count).map(i -> labels[i] & 0xff).max().orElse(0);
        List<String> names = IntStream.range(0, Math.min(classes, LABEL_VALUES))
                .mapToObj(Integer::toString)
                .toList();
        int from = options.subset().from();
        int to = options.subset().endIn(count, imagesFile.toString());
        int length = extents[1] * extents[2];
        return Assembly.of(
                to - from,
                names,
                options,
                i -> labels[from + i] & 0xff,
                i -> {
                    byte[] image = new byte[length];
                    System.arraycopy(pixels, (from + i) * length, image, 0, length);
                    return new RawImage(extents[1], extents[2], 1, image);
                },
                i -> imagesFile + " image " + (from + i));
    }

    private static Path onlyImagesFile(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            List<Path> found = entries.filter(IdxFiles::isImagesFile).sorted().toList();
            if (found.size() != 1) {
                throw new UserException(
                        folder + " holds " + found.size() + " IDX images files; name the one to read: " + found);
            }
            return found.getFirst();
        }
    }

    /** The same name with "labels" for "images" and rank 1 for 3, compressed or not. */
    private static Path labelsBeside(Path imagesFile) {
        String name = String.valueOf(imagesFile.getFileName());
        String labels = name.replace("images", "labels").replace("idx3", "idx1");
        Set<String> candidates = new LinkedHashSet<>();
        candidates.add(labels);
        candidates.add(labels.endsWith(".gz") ? labels.substring(0, labels.length() - 3) : labels + ".gz");
        candidates.remove(name);
        for (String candidate : candidates) {
            Path file = imagesFile.resolveSibling(candidate);
            if (Files.exists(file)) {
                return file;
            }
        }
        throw new UserException("no labels found for " + imagesFile + ": looked beside it for " + candidates
                + "; name the file with --labels");
    }

    private static byte[] readArray(Path file, int magic, int[] extents) throws IOException {
        try (DataInputStream in = new DataInputStream(decompressed(file))) {
            int found = in.readInt();
            if (found != magic) {
                throw new UserException(String.format(
                        "%s: the magic number is 0x%08x, expected 0x%08x (IDX %s)",
                        file, found, magic, magic == IMAGES_MAGIC ? "images" : "labels"));
            }
            long bytes = 1;
            for (int i = 0; i < extents.length; i++) {
                extents[i] = in.readInt();
                if (extents[i] < 0 || (bytes *= extents[i]) > Integer.MAX_VALUE - Long.BYTES) {
                    throw new UserException(file + ": the header claims an extent of "
                            + Integer.toUnsignedString(extents[i]) + "; expected less than 2 GiB of data");
                }
            }
            byte[] data = in.readNBytes((int) bytes);
            if (data.length != bytes) {
                throw new UserException(file + " is truncated: " + data.length + " bytes of data, expected " + bytes
                        + "; fetch the file again");
            }
            if (in.read() >= 0) {
                throw new UserException(file + " is longer than its header says (" + bytes + " bytes of data)");
            }
            return data;
        } catch (EOFException e) {
            throw new UserException(
                    file + " is truncated: it ends in its header or inside the compressed data;"
                            + " fetch the file again",
                    e);
        } catch (ZipException e) {
            throw new UserException(file + " is damaged: " + e.getMessage() + "; fetch the file again", e);
        }
    }

    private static InputStream decompressed(Path file) throws IOException {
        PushbackInputStream in = new PushbackInputStream(new BufferedInputStream(Files.newInputStream(file)), 2);
        byte[] begin = in.readNBytes(2);
        in.unread(begin);
        boolean gzip = begin.length == 2 && (begin[0] & 0xff) == GZIP_FIRST && (begin[1] & 0xff) == GZIP_SECOND;
        return gzip ? new BufferedInputStream(new GZIPInputStream(in)) : in;
    }
}
