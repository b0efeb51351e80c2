package org.sapwood.cli;

import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.Json;
import org.sapwood.io.RunFolder;

/** The page to open of a run: what is in its JSON files, as tables, with the sheet of samples. */
final class ReportPage {
    private static final String STYLE = """
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222 }
        table { border-collapse: collapse; margin: .5em 0 1.5em }
        td { border-top: 1px solid #ddd; padding: .2em 1em .2em 0; vertical-align: top }
        td:first-child { color: #666; white-space: nowrap }
        img { image-rendering: pixelated; max-width: 100% }
        """;

    private ReportPage() {}

    /** Writes {@code report.html} from the files that the run has so far. */
    static void write(RunFolder folder) {
        Map<String, Object> run = Json.readObject(folder.runJson());
        Map<String, Object> sections = new LinkedHashMap<>();
        if (Files.exists(folder.privacyJson())) {
            sections.put("Privacy", Json.readObject(folder.privacyJson()));
        }
        if (Files.exists(folder.metricsJson())) {
            Json.readObject(folder.metricsJson()).forEach((name, values) -> sections.put(title(name), values));
        }
        sections.put("Run", run);
        StringBuilder html = new StringBuilder("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>")
                .append(escape(heading(run)))
                .append("</title><style>\n")
                .append(STYLE)
                .append("</style>\n<h1>")
                .append(escape(heading(run)))
                .append("</h1>\n");
        if (Files.exists(folder.samples().resolve(TrainedRun.SHEET))) {
            html.append("<p><img src=\"samples/" + TrainedRun.SHEET
                    + "\" alt=\"synthetic images, one row per class\"></p>\n");
        }
        sections.forEach((name, values) -> {
            html.append("<h2>").append(escape(name)).append("</h2>\n");
            appendValue(html, values);
        });
        folder.writeText(folder.report(), html.append("</html>\n").toString());
    }

    private static String heading(Map<String, Object> run) {
        String what = "Sapwood " + run.get("command") + " run";
        if (run.get("options") instanceof Map<?, ?> options && options.get("method") != null) {
            what += ", "
                    + String.valueOf(options.get("method"))
                            .toLowerCase(Locale.ROOT)
                            .replace('_', '-');
        }
        return Boolean.FALSE.equals(run.get("private")) ? what + " (NOT PRIVATE)" : what;
    }

    private static void appendValue(StringBuilder html, @Nullable Object value) {
        switch (value) {
            case Map<?, ?> map -> {
                html.append("<table>\n");
                map.forEach((key, item) -> {
                    html.append("<tr><td>")
                            .append(escape(title(String.valueOf(key))))
                            .append("</td><td>");
                    appendValue(html, item);
                    html.append("</td></tr>\n");
                });
                html.append("</table>\n");
            }
            case List<?> items
            when items.stream().anyMatch(Map.class::isInstance) -> items.forEach(item -> appendValue(html, item));
            case List<?> items ->
                html.append(escape(
                        String.join(", ", items.stream().map(String::valueOf).toList())));
            case null -> html.append("none");
            default -> html.append(escape(value.toString()));
        }
    }

    private static String title(String key) {
        return key.replace('_', ' ');
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
