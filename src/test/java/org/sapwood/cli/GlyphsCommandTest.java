package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.data.Glyphs;
import org.sapwood.data.ImageSet;
import org.sapwood.data.ImageSets;
import org.sapwood.data.ReadOptions;

class GlyphsCommandTest {
    @TempDir
    Path folder;

    @Test
    void theFolderReadsBackAsTheSameSet() {
        Path out = folder.resolve("a/b");
        Map<String, Object> json = Run.of("glyphs --half sensitive --count 20 --seed 5 --json --out", out)
                .json();
        assertEquals(20, json.get("images"));

        ImageSet read = ImageSets.open(out, ReadOptions.asStored());
        ImageSet made = Glyphs.generate(Glyphs.Half.SENSITIVE, 20, 5);
        assertEquals(made.classNames(), read.classNames());
        assertArrayEquals(made.labels(), read.labels());
        assertArrayEquals(made.toFloats(), read.toFloats());
    }

    @Test
    void badOptionsAreWrongUsage() {
        Run.of("glyphs --count 0 --out", folder).failed(2, "--count must be >= 1, got 0");
        Run.of("glyphs --half both --out", folder).failed(2, "expected one of public, sensitive, got 'both'");
    }
}
