package org.sapwood.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.sapwood.data.Samples.assertRefused;
import static org.sapwood.data.Samples.grey;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.data.ReadOptions.Channels;
import org.sapwood.data.ReadOptions.Subset;

class ClassFoldersTest {
    private static final ReadOptions AS_STORED = ReadOptions.asStored();

    @TempDir
    private Path folder;

    @Test
    void folderAndZipGiveTheSameSetDealtByClass() throws IOException {
        Map<String, byte[]> files = new HashMap<>(Map.of(
                "Latin/a/2.png", grey(2, 2, 12),
                "Latin/a/1.png", grey(2, 2, 11),
                "Latin/a/3.PNG", grey(2, 2, 13),
                "Greek/a/1.png", grey(2, 2, 21),
                "Greek/a/notes.txt", new byte[] {1},
                ".DS_Store", new byte[] {1},
                "__MACOSX/Greek/a/._1.png", new byte[] {1}));
        Map<String, byte[]> packed = new HashMap<>();
        files.forEach((name, content) -> packed.put(name.startsWith("__") ? name : "letters/" + name, content));
        Path tree = Samples.tree(folder.resolve("tree"), files);
        Path flat = Samples.zip(folder.resolve("flat.zip"), files);
        Path prefixed = Samples.zip(folder.resolve("letters.zip"), packed);
        for (Path path : List.of(tree, flat, prefixed)) {
            ImageSet set = ImageSets.open(path, AS_STORED);
            assertEquals(List.of("Greek/a", "Latin/a"), set.classNames());
            assertArrayEquals(new int[] {0, 1, 1, 1}, set.labels());
            assertArrayEquals(new int[] {21, 11, 12, 13}, firstBytes(set));
        }
        ImageSet two = ImageSets.open(tree, AS_STORED.withSubset(Subset.parse("1:3")));
        assertArrayEquals(new int[] {11, 12}, firstBytes(two));
        assertEquals(2, two.classCount());
    }

    @Test
    void mergingJoinsClassesAndDropsOnlyTrueDuplicates() throws IOException {
        Path one = Samples.zip(
                folder.resolve("small1.zip"),
                Map.of(
                        "small1/Latin/a/1.png", grey(2, 2, 1),
                        "small1/Latin/a/2.png", grey(2, 2, 2),
                        "small1/Latin/b/1.png", grey(2, 2, 3)));
        Path two = Samples.zip(
                folder.resolve("small2.zip"),
                Map.of(
                        "small2/Latin/a/1.png", grey(2, 2, 1),
                        "small2/Latin/a/2.png", grey(2, 2, 22),
                        "small2/Greek/a/1.png", grey(2, 2, 1)));
        ImageSet set = ImageSets.open(List.of(one, two), AS_STORED);
        assertEquals(List.of("Greek/a", "Latin/a", "Latin/b"), set.classNames());
        assertArrayEquals(new int[] {0, 1, 2, 1, 1}, set.labels());
        assertArrayEquals(new int[] {1, 1, 3, 2, 22}, firstBytes(set));
        Path idx = Files.write(folder.resolve("images-idx3-ubyte"), new byte[] {0, 0, 8, 3});
        assertRefused(() -> ImageSets.open(List.of(one, idx), AS_STORED), idx, "cannot be merged");
    }

    @Test
    void everyKindOfPictureIsDecoded() throws IOException {
        int orange = 0xffff8000;
        Path root = Samples.tree(
                folder,
                Map.of(
                        "c/1.png", Samples.picture("png", BufferedImage.TYPE_INT_RGB, 4, 4, orange),
                        "c/2.png", Samples.picture("png", BufferedImage.TYPE_INT_ARGB, 4, 4, 0x00123456),
                        "c/3.png", Samples.picture("png", BufferedImage.TYPE_INT_ARGB, 4, 4, 0x80000000),
                        "c/4.jpeg", Samples.picture("jpg", BufferedImage.TYPE_INT_RGB, 4, 4, 0xff808080),
                        "c/5.png", grey(4, 4, 77),
                        "c/6.png", Samples.picture("png", BufferedImage.TYPE_BYTE_BINARY, 4, 4, 0xffffffff),
                        "c/7.png", Samples.picture("png", BufferedImage.TYPE_USHORT_GRAY, 4, 4, 0xffffffff)));
        ImageSet rgb = ImageSets.open(root, AS_STORED.withChannels(Channels.RGB));
        assertArrayEquals(new byte[] {-1, -128, 0}, Arrays.copyOf(rgb.bytes(0), 3));
        assertArrayEquals(new byte[] {-1, -1, -1}, Arrays.copyOf(rgb.bytes(1), 3), "transparent is paper");
        assertEquals(127, rgb.bytes(2)[0], "half-transparent black is half paper");
        assertEquals(128, rgb.bytes(3)[0] & 0xff, 1, "JPEG");
        assertArrayEquals(new byte[] {77, 77, 77}, Arrays.copyOf(rgb.bytes(4), 3), "grey samples are not re-encoded");
        ImageSet greyOnly =
                ImageSets.open(root, AS_STORED.withChannels(Channels.GREY).withSubset(Subset.parse("4:")));
        assertArrayEquals(new int[] {77, 255, 255}, firstBytes(greyOnly));
        assertEquals(1, greyOnly.channels());
    }

    @Test
    void imagesThatDifferAreRefusedUntilTheOptionsMakeThemOne() throws IOException {
        Path root = Samples.tree(
                folder, Map.of("a/1.png", grey(4, 4, 9), "a/2.png", grey(4, 6, 9), "b/3.png", grey(3, 4, 9)));
        Path second = root.resolve("b/3.png");
        assertRefused(() -> ImageSets.open(root, AS_STORED), second, "3x4x1", "4x4x1", "--size");
        assertEquals(
                "ImageSet[2x2x1, 2 classes]",
                ImageSets.open(root, AS_STORED.withSize(2)).toString());

        byte[] red = Samples.picture("png", BufferedImage.TYPE_INT_RGB, 4, 4, 0xffff0000);
        Path mixed = Samples.tree(folder.resolve("mixed"), Map.of("a/1.png", grey(4, 4, 9), "a/2.png", red));
        assertRefused(() -> ImageSets.open(mixed, AS_STORED), "4x4x3", "4x4x1", "--channels");
    }

    @Test
    void whatIsNoImageSetIsRefusedWithWhatWasFound() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertRefused(() -> ImageSets.open(empty, AS_STORED), empty, "holds no images", "it is empty");
        Path texts = Samples.tree(folder.resolve("texts"), Map.of("a/x.txt", new byte[1], "a/y", new byte[1]));
        assertRefused(() -> ImageSets.open(texts, AS_STORED), texts, "it holds only [(no ending), .txt]");
        Path flat = Samples.tree(folder.resolve("flat"), Map.of("x.png", grey(1, 1, 1)));
        assertRefused(() -> ImageSets.open(flat, AS_STORED), flat.resolve("x.png"), "outside any class folder");
        Path fake = Samples.tree(folder.resolve("fake"), Map.of("a/x.png", new byte[] {1, 2, 3}));
        assertRefused(() -> ImageSets.open(fake, AS_STORED), fake.resolve("a/x.png"), "not a PNG or JPEG");
        byte[] whole = grey(50, 50, 3);
        Path cut = Samples.tree(folder.resolve("cut"), Map.of("a/x.png", Arrays.copyOf(whole, whole.length / 2)));
        assertRefused(() -> ImageSets.open(cut, AS_STORED), cut.resolve("a/x.png"), "damaged");
    }

    @Test
    void theFirstDamagedImageIsNamedWhateverTheThreads() throws IOException {
        Map<String, byte[]> files = new HashMap<>();
        for (int i = 0; i < 200; i++) {
            files.put(String.format("a/%03d.png", i), i >= 20 ? new byte[] {1} : grey(2, 2, 2));
        }
        Path root = Samples.tree(folder, files);
        assertRefused(() -> ImageSets.open(root, AS_STORED), root.resolve("a/020.png"));
    }

    @Test
    void aPictureThatClaimsGigapixelsIsRefusedUndecoded() throws IOException {
        byte[] png = grey(1, 1, 0);
        // Width and height stand at bytes 16–23 of a PNG; the checksum of that chunk, at 29–32, has to fit.
        png[17] = 1;
        png[21] = 1;
        java.util.zip.CRC32 checksum = new java.util.zip.CRC32();
        checksum.update(png, 12, 17);
        for (int i = 0; i < 4; i++) {
            png[29 + i] = (byte) (checksum.getValue() >> (24 - 8 * i));
        }
        Path root = Samples.tree(folder, Map.of("a/bomb.png", png));
        assertRefused(() -> ImageSets.open(root, AS_STORED), "a/bomb.png", "65537x65537 pixels, expected at most");
    }

    @Test
    void aZipEntryThatUnpacksWithoutEndIsRefused() throws IOException {
        Path bomb = folder.resolve("bomb.zip");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(bomb))) {
            out.putNextEntry(new ZipEntry("a/zeros.png"));
            byte[] chunk = new byte[1 << 20];
            for (int i = 0; i < 65; i++) {
                out.write(chunk);
            }
        }
        assertRefused(() -> ImageSets.open(bomb, AS_STORED), bomb + "!a/zeros.png", "larger than 64 MiB");
    }

    @Test
    void aDamagedArchiveIsNamed() throws IOException {
        Path archive = Samples.zip(folder.resolve("set.zip"), Map.of("a/x.png", grey(2, 2, 2)));
        byte[] whole = Files.readAllBytes(archive);
        Files.write(archive, Arrays.copyOf(whole, whole.length - 30));
        assertRefused(() -> ImageSets.open(archive, AS_STORED), "cannot read " + archive);
    }

    private static int[] firstBytes(ImageSet set) {
        int[] out = new int[set.size()];
        Arrays.setAll(out, i -> set.bytes(i)[0] & 0xff);
        return out;
    }
}
