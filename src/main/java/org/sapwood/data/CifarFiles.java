package org.sapwood.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.sapwood.io.UserException;

/**
 * The binary versions of CIFAR-10 (records of label, then 32×32 red, green and blue planes: 3,073 bytes) and CIFAR-100
 * (coarse label, fine label, planes: 3,074 bytes; the fine label counts).
 *
 * @see <a href="https://www.cs.toronto.edu/~kriz/cifar.html">the format</a>
 */
final class CifarFiles {
    private static final int EDGE = 32;
    private static final int PLANE = EDGE * EDGE;
    private static final int CHANNELS = 3;
    private static final int IMAGE_BYTES = PLANE * CHANNELS;
    private static final Pattern BATCH_NAME = Pattern.compile("(data_batch_\\d+|test_batch)\\.bin");

    /** How many label bytes stand before the planes, and how many values the last of them may take. */
    private enum Layout {
        CIFAR10(1, 10, "batches.meta.txt"),
        CIFAR100(2, 100, "fine_label_names.txt");

        private final int labelBytes;
        private final int classes;
        private final String namesFile;

        Layout(int labelBytes, int classes, String namesFile) {
            this.labelBytes = labelBytes;
            this.classes = classes;
            this.namesFile = namesFile;
        }

        int recordBytes() {
            return labelBytes + IMAGE_BYTES;
        }
    }

    private CifarFiles() {}

    static boolean isBatch(Path file) {
        return BATCH_NAME.matcher(ImageSets.lowerName(file)).matches();
    }

    static boolean hasBinaryName(Path file) {
        return ImageSets.lowerName(file).endsWith(".bin");
    }

    /** Reads one file, or of a folder the training batches (the test batch when there are none). */
    static ImageSet read(Path path, ReadOptions options) throws IOException {
        List<Path> files = Files.isDirectory(path) ? batches(path) : List.of(path);
        Layout layout = layout(files.getFirst());
        int recordBytes = layout.recordBytes();
        byte[][] contents = new byte[files.size()][];
        int[] firstRecord = new int[files.size() + 1];
        for (int f = 0; f < contents.length; f++) {
            Path file = files.get(f);
            if (Files.size(file) == 0 || Files.size(file) % recordBytes != 0) {
                throw truncated(file, Files.size(file));
            }
            contents[f] = Files.readAllBytes(file);
            requireLabels(file, contents[f], layout);
            firstRecord[f + 1] = firstRecord[f] + contents[f].length / recordBytes;
        }
        int from = options.subset().from();
        int to = options.subset().endIn(firstRecord[contents.length], path.toString());
        return Assembly.of(
                to - from,
                classNames(files.getFirst(), layout),
                options,
                i -> {
                    int f = fileOf(firstRecord, from + i);
                    return contents[f][(from + i - firstRecord[f]) * recordBytes + layout.labelBytes - 1] & 0xff;
                },
                i -> {
                    int f = fileOf(firstRecord, from + i);
                    return image(contents[f], (from + i - firstRecord[f]) * recordBytes + layout.labelBytes);
                },
                i -> path + " image " + (from + i));
    }

    private static List<Path> batches(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            List<Path> all = entries.filter(CifarFiles::isBatch).sorted().toList();
            List<Path> training = all.stream()
                    .filter(file -> ImageSets.lowerName(file).startsWith("data_batch"))
                    .toList();
            return training.isEmpty() ? all : training;
        }
    }

    private static Layout layout(Path file) throws IOException {
        long bytes = Files.size(file);
        for (Layout layout : Layout.values()) {
            if (bytes > 0 && bytes % layout.recordBytes() == 0) {
                return layout;
            }
        }
        throw truncated(file, bytes);
    }

    private static UserException truncated(Path file, long bytes) {
        return new UserException(file + " is truncated or not CIFAR binary: " + bytes
                + " bytes, expected a multiple of " + Layout.CIFAR10.recordBytes() + " (CIFAR-10) or "
                + Layout.CIFAR100.recordBytes() + " (CIFAR-100)");
    }

    private static void requireLabels(Path file, byte[] content, Layout layout) {
        for (int at = layout.labelBytes - 1; at < content.length; at += layout.recordBytes()) {
            if ((content[at] & 0xff) >= layout.classes) {
                throw new UserException(file + ": record " + at / layout.recordBytes() + " has label "
                        + (content[at] & 0xff) + ", expected 0 to " + (layout.classes - 1) + "; is this CIFAR binary?");
            }
        }
    }

    private static int fileOf(int[] firstRecord, int record) {
        int file = 0;
        while (firstRecord[file + 1] <= record) {
            file++;
        }
        return file;
    }

    private static RawImage image(byte[] content, int offset) {
        byte[] pixels = new byte[IMAGE_BYTES];
        for (int c = 0; c < CHANNELS; c++) {
            for (int i = 0; i < PLANE; i++) {
                pixels[i * CHANNELS + c] = content[offset + c * PLANE + i];
            }
        }
        return new RawImage(EDGE, EDGE, CHANNELS, pixels);
    }

    /** The names that come with the official download, numbers when the file of names is not there. */
    private static List<String> classNames(Path file, Layout layout) throws IOException {
        Path names = file.resolveSibling(layout.namesFile);
        if (Files.isRegularFile(names)) {
            List<String> lines = Files.readAllLines(names).stream()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .toList();
            if (lines.size() == layout.classes) {
                return lines;
            }
        }
        return IntStream.range(0, layout.classes).mapToObj(Integer::toString).toList();
    }
}
