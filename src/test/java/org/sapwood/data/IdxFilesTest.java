package org.sapwood.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.sapwood.data.Samples.assertRefused;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxFilesTest {
    private static final int IMAGES = 0x803;
    private static final int LABELS = 0x801;
    private static final ReadOptions AS_STORED = ReadOptions.asStored();

    @TempDir
    private Path folder;

    @Test
    void plainAndCompressedFilesAndTheirFolderGiveTheSameSet() throws IOException {
        byte[] images = Samples.idx(IMAGES, 251, 5, 2, 3);
        byte[] labels = Samples.idx(LABELS, 3, 5);
        Path plain = write("t10k-images-idx3-ubyte", images);
        write("t10k-labels-idx1-ubyte", labels);
        Path gzipped = write("b/train-images-idx3-ubyte.gz", Samples.gzip(images));
        write("b/train-labels-idx1-ubyte.gz", Samples.gzip(labels));
        Path mixed = write("c/train-images.idx3-ubyte", images);
        write("c/train-labels.idx1-ubyte.gz", Samples.gzip(labels));
        for (Path path : List.of(plain, gzipped, mixed, folder.resolve("b"))) {
            ImageSet set = ImageSets.open(path, AS_STORED);
            assertEquals("ImageSet[2x3x1, 3 classes]", set.toString());
            assertArrayEquals(new int[] {0, 1, 2, 0, 1}, set.labels());
            assertArrayEquals(new byte[] {6, 7, 8, 9, 10, 11}, set.bytes(1));
            assertEquals(List.of("0", "1", "2"), set.classNames());
        }
    }

    @Test
    void aSubsetKeepsAllClasses() throws IOException {
        write("t10k-images-idx3-ubyte", Samples.idx(IMAGES, 251, 5, 2, 3));
        write("t10k-labels-idx1-ubyte", Samples.idx(LABELS, 3, 5));
        ImageSet set = ImageSets.open(folder, AS_STORED.withSubset(ReadOptions.Subset.parse("3:")));
        assertArrayEquals(new int[] {0, 1}, set.labels());
        assertEquals(18, set.bytes(0)[0]);
        assertEquals(3, set.classCount());
        assertRefused(
                () -> ImageSets.open(folder, AS_STORED.withSubset(ReadOptions.Subset.parse("0:6"))),
                "--subset 0:6 reaches beyond the 5 images");
        assertRefused(
                () -> ImageSets.open(folder, AS_STORED.withSubset(ReadOptions.Subset.parse("5:"))),
                "--subset 5: reaches beyond the 5 images");
    }

    @Test
    void labelsMayBeNamed() throws IOException {
        Path images = write("digits", Samples.idx(IMAGES, 251, 2, 2, 2));
        Path labels = write("classes", Samples.idx(LABELS, 2, 2));
        assertArrayEquals(
                new int[] {0, 1},
                ImageSets.open(images, AS_STORED.withLabels(labels)).labels());
        assertRefused(() -> ImageSets.open(images, AS_STORED), "no labels found for " + images, "--labels");
    }

    @Test
    void truncationIsSeenAtEveryLength() throws IOException {
        byte[] whole = Samples.idx(IMAGES, 251, 2, 2, 2);
        write("t10k-labels-idx1-ubyte", Samples.idx(LABELS, 2, 2));
        for (int length = 0; length < whole.length; length++) {
            Path images = write("t10k-images-idx3-ubyte", Arrays.copyOf(whole, length));
            assertRefused(() -> ImageSets.open(images, AS_STORED), images, "truncated");
        }
        byte[] gzipped = Samples.gzip(whole);
        for (int length = 3; length < gzipped.length; length++) {
            Path images = write("t10k-images-idx3-ubyte", Arrays.copyOf(gzipped, length));
            assertRefused(() -> ImageSets.open(images, AS_STORED), images, "truncated");
        }
    }

    @Test
    void damagedFilesAreNamedWithWhatWasFound() throws IOException {
        Path labels = write("t10k-labels-idx1-ubyte", Samples.idx(LABELS, 2, 2));
        Path images = write("t10k-images-idx3-ubyte", Samples.idx(LABELS, 2, 2, 2, 2));
        assertRefused(() -> ImageSets.open(images, AS_STORED), images, "0x00000801, expected 0x00000803 (IDX images)");

        write("t10k-images-idx3-ubyte", Samples.idx(0xd03, 251, 2, 2, 2));
        assertRefused(() -> ImageSets.open(images, AS_STORED), "0x00000d03, expected 0x00000803");

        write("t10k-images-idx3-ubyte", Samples.idx(IMAGES, 251, 3, 2, 2));
        assertRefused(() -> ImageSets.open(images, AS_STORED), labels, "2 labels", "3 images");

        write("t10k-images-idx3-ubyte", Samples.idx(IMAGES, 251, 0, 2, 2));
        assertRefused(() -> ImageSets.open(images, AS_STORED), images, "holds no images");

        byte[] whole = Samples.idx(IMAGES, 251, 2, 2, 2);
        write("t10k-images-idx3-ubyte", Arrays.copyOf(whole, whole.length + 1));
        assertRefused(() -> ImageSets.open(images, AS_STORED), images, "longer than its header says");

        byte[] huge = whole.clone();
        Arrays.fill(huge, 4, 16, (byte) 0x7f);
        write("t10k-images-idx3-ubyte", huge);
        assertRefused(() -> ImageSets.open(images, AS_STORED), images, "claims an extent of 2139062143");

        byte[] corrupt = Samples.gzip(whole);
        corrupt[corrupt.length - 6] ^= 1;
        write("t10k-images-idx3-ubyte", corrupt);
        assertRefused(() -> ImageSets.open(images, AS_STORED), images, "damaged", "fetch the file again");
    }

    @Test
    void aFolderWithTwoSetsAsksWhichOne() throws IOException {
        write("t10k-images-idx3-ubyte", Samples.idx(IMAGES, 2, 1, 1, 1));
        write("train-images-idx3-ubyte.gz", Samples.idx(IMAGES, 2, 1, 1, 1));
        assertRefused(() -> ImageSets.open(folder, AS_STORED), "holds 2 IDX images files; name the one to read");
    }

    private Path write(String name, byte[] content) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.resolve("..").normalize());
        return Files.write(file, content);
    }
}
