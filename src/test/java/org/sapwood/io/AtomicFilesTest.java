package org.sapwood.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
    @TempDir
    private Path folder;

    @Test
    void replacesTheContentAndLeavesNothingElse() throws IOException {
        Path file = folder.resolve("privacy.json");
        AtomicFiles.write(file, new byte[] {1, 2, 3});
        AtomicFiles.write(file, new byte[] {4});
        assertEquals(List.of(file), list());
        assertEquals(4, Files.readAllBytes(file)[0]);
    }

    @Test
    void keepsTheOldContentWhenTheDiskFillsUpHalfway() throws IOException {
        Path file = folder.resolve("privacy.json");
        AtomicFiles.write(file, new byte[] {1, 2, 3});
        IOException failure = assertThrows(
                IOException.class,
                () -> AtomicFiles.write(file, out -> {
                    out.write(new byte[100_000]);
                    throw new IOException("No space left on device");
                }));
        assertEquals(
                "cannot write " + file + ": No space left on device: free some space and try again",
                failure.getMessage());
        assertEquals(3, Files.size(file));
        assertEquals(List.of(file), list());
    }

    @Test
    void namesThePathWhoseFolderIsMissing() {
        Path file = folder.resolve("missing").resolve("run.json");
        IOException failure = assertThrows(IOException.class, () -> AtomicFiles.write(file, new byte[1]));
        assertEquals("cannot write " + file + ": no such file or folder", failure.getMessage());
    }

    @Test
    void theFileIsNeverSeenHalfWritten() throws IOException {
        Path file = folder.resolve("a");
        AtomicFiles.write(file, new byte[] {1});
        AtomicFiles.write(file, out -> {
            out.write(new byte[200_000]);
            out.flush();
            assertEquals(1, Files.size(file));
        });
        assertEquals(200_000, Files.size(file));
    }

    @Test
    void whoReadsTheOldFileReadsItToTheEnd() throws IOException {
        Path file = folder.resolve("a");
        AtomicFiles.write(file, new byte[] {1, 1, 1});
        try (InputStream reader = Files.newInputStream(file)) {
            assertEquals(1, reader.read());
            AtomicFiles.write(file, new byte[] {2, 2, 2});
            assertArrayEquals(new byte[] {1, 1}, reader.readAllBytes());
        }
    }

    private List<Path> list() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }
}
