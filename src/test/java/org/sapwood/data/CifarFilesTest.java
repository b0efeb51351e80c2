package org.sapwood.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.sapwood.data.Samples.assertRefused;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CifarFilesTest {
    private static final int PLANE = 32 * 32;
    private static final ReadOptions AS_STORED = ReadOptions.asStored();

    @TempDir
    private Path folder;

    @Test
    void batchesAreReadInOrderAndTheTestBatchIsLeftOut() throws IOException {
        Files.write(folder.resolve("data_batch_2.bin"), records(1, 7));
        Files.write(folder.resolve("data_batch_1.bin"), records(1, 3, 4));
        Files.write(folder.resolve("test_batch.bin"), records(1, 9));
        ImageSet set = ImageSets.open(folder, AS_STORED);
        assertArrayEquals(new int[] {3, 4, 7}, set.labels());
        assertEquals("ImageSet[32x32x3, 10 classes]", set.toString());
        assertArrayEquals(new byte[] {14, 24, 34}, Arrays.copyOfRange(set.bytes(1), 300, 303));
        assertArrayEquals(
                new int[] {9},
                ImageSets.open(folder.resolve("test_batch.bin"), AS_STORED).labels());
        ImageSet last = ImageSets.open(folder, AS_STORED.withSubset(ReadOptions.Subset.parse("2:3")));
        assertArrayEquals(new int[] {7}, last.labels());
        assertEquals(17, last.bytes(0)[0]);
    }

    @Test
    void cifar100HasTwoLabelsAndTheFineOneCounts() throws IOException {
        Path file = Files.write(folder.resolve("train.bin"), records(2, 99, 42));
        ImageSet set = ImageSets.open(file, AS_STORED);
        assertArrayEquals(new int[] {99, 42}, set.labels());
        assertEquals(100, set.classCount());
        assertEquals(42 + 10, set.bytes(1)[0]);
    }

    @Test
    void namesComeFromTheOfficialFile() throws IOException {
        Path file = Files.write(folder.resolve("data_batch_1.bin"), records(1, 1));
        assertEquals("1", ImageSets.open(file, AS_STORED).classNames().get(1));
        Files.writeString(folder.resolve("batches.meta.txt"), "airplane\nauto\n2\n3\n4\n5\n6\n7\n8\ntruck\n\n");
        assertEquals("auto", ImageSets.open(file, AS_STORED).classNames().get(1));
    }

    @Test
    void damagedFilesAreNamed() throws IOException {
        byte[] whole = records(1, 1, 2);
        Path file = Files.write(folder.resolve("data_batch_1.bin"), Arrays.copyOf(whole, whole.length - 1));
        assertRefused(() -> ImageSets.open(folder, AS_STORED), file, "6145 bytes, expected a multiple of 3073");
        Files.write(file, records(1, 10));
        assertRefused(() -> ImageSets.open(folder, AS_STORED), file, "record 0 has label 10, expected 0 to 9");
        Files.write(file, new byte[0]);
        assertRefused(() -> ImageSets.open(folder, AS_STORED), file, "0 bytes");
        Files.write(file, whole);
        Path second = Files.write(folder.resolve("data_batch_2.bin"), new byte[3074]);
        assertRefused(() -> ImageSets.open(folder, AS_STORED), second, "3074 bytes");
    }

    /** One record per label; red is label + 10 everywhere, green label + 20, blue label + 30. */
    private static byte[] records(int labelBytes, int... labels) {
        int recordBytes = labelBytes + 3 * PLANE;
        byte[] out = new byte[labels.length * recordBytes];
        for (int r = 0; r < labels.length; r++) {
            int planes = r * recordBytes + labelBytes;
            out[planes - 1] = (byte) labels[r];
            for (int c = 0; c < 3; c++) {
                Arrays.fill(out, planes + c * PLANE, planes + (c + 1) * PLANE, (byte) (labels[r] + 10 * (c + 1)));
            }
        }
        return out;
    }
}
