package org.sapwood.data;

import static org.sapwood.data.Samples.assertRefused;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageSetsTest {
    @Test
    void whatIsNotThereOrUnknownIsNamed(@TempDir Path folder) throws IOException {
        ReadOptions options = ReadOptions.asStored();
        Path absent = folder.resolve("absent");
        assertRefused(() -> ImageSets.open(absent, options), "cannot read " + absent + ": no such file or folder");
        Path unknown = Files.writeString(folder.resolve("data.csv"), "a,b,c");
        assertRefused(() -> ImageSets.open(unknown, options), unknown, "612c622c", "expected an IDX images file");
        Path empty = Files.createFile(folder.resolve("data.npy"));
        assertRefused(() -> ImageSets.open(empty, options), empty, "(none)");
        assertRefused(() -> ImageSets.open(List.of(), options), "no image set given");
    }
}
