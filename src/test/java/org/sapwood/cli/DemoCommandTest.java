package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.data.Glyphs;
import org.sapwood.nn.ModelFolder;
import org.sapwood.nn.UNetConfig;

/** The demo itself takes minutes; here what it stands on. */
class DemoCommandTest {
    @TempDir
    Path folder;

    @Test
    void theShippedModelLoadsAndFitsTheGlyphs() throws IOException {
        for (String file : List.of(ModelExport.CONFIG, ModelExport.WEIGHTS)) {
            try (InputStream in =
                    Objects.requireNonNull(DemoCommand.class.getResourceAsStream(DemoCommand.RESOURCES + file), file)) {
                Files.write(folder.resolve(file), in.readAllBytes());
            }
        }
        assertTrue(Files.size(folder.resolve(ModelExport.WEIGHTS)) < 4 << 20, "larger than a few MB");
        UNetConfig config = ModelFolder.find(folder).load().unet().config();
        assertEquals(Glyphs.SIZE, config.sampleSize());
        assertEquals(1, config.inChannels());
        assertEquals(Glyphs.Half.PUBLIC.classNames().size() + 1, config.classes());
    }

    @Test
    void badOptionsAreWrongUsage() {
        Run.of("demo --epsilon 0 --out", folder.resolve("run")).failed(2, "--epsilon must be > 0, got 0");
        Run.of("demo --steps 0 --out", folder.resolve("run")).failed(2, "--steps must be >= 1, got 0");
    }
}
