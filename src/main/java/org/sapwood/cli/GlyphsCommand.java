package org.sapwood.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.sapwood.data.Glyphs;
import org.sapwood.data.ImageSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sapwood glyphs}: writes the built-in image set to a folder, to look at or to try other commands on. */
@Command(
        name = "glyphs",
        header = "Write the built-in image set to a folder.",
        description = {
            "",
            "The set is drawn by a procedural hand: 28×28, grey, light strokes on black, one folder of PNG per class.",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class GlyphsCommand implements Callable<Integer> {
    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Option(
            names = "--half",
            defaultValue = "sensitive",
            paramLabel = "HALF",
            description = "public (32 letters) or sensitive (10 digits) (default: ${DEFAULT-VALUE}).")
    private Glyphs.Half half;

    @Option(
            names = "--count",
            defaultValue = "1000",
            paramLabel = "N",
            description = "Number of images, the classes in turn (default: ${DEFAULT-VALUE}).")
    private int count;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "The folder; must be new or empty.")
    private Path out;

    @Override
    public Integer call() {
        common.check().atLeast("--count", 1, count);
        ImageSet images = Glyphs.generate(half, count, common.seed().orElse(0));
        ImageFolder.write(images, out);
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("out", out);
        data.put("images", images.size());
        data.put("classes", images.classNames());
        common.result(data, List.of("wrote " + images.size() + " images to " + out));
        return ExitCode.OK;
    }
}
