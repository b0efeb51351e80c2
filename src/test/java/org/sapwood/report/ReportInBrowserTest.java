package org.sapwood.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The page as a reader sees it: in a real browser, wide and narrow, light and dark. */
class ReportInBrowserTest {
    private static final String REQUIRED = "SAPWOOD_REQUIRE_BROWSER";

    @TempDir
    static Path shared;

    private static Browser browser;
    private static Path privatePage;
    private static Path openPage;

    @TempDir
    Path folder;

    @BeforeAll
    static void startBrowser() throws IOException {
        Optional<Path> program = Browser.find();
        if (program.isEmpty()) {
            String reason = "no browser to look at the page with: install chromium, or name one in SAPWOOD_CHROMIUM";
            if ("1".equals(System.getenv(REQUIRED))) {
                fail(reason);
            }
            Assumptions.abort(reason);
        }
        ExampleRun example = ExampleRun.finished(shared.resolve("private"));
        example.images(List.of("0", "1", ExampleRun.HOSTILE), 6, 28, 1);
        example.select(ExampleRun.names(8), 3);
        example.write();
        privatePage = example.path.resolve("report.html");
        ExampleRun open = ExampleRun.finished(shared.resolve("open"));
        open.options.put("method", "NON_PRIVATE");
        open.options.put("data", Map.of("locations", List.of("/a/" + "long-name".repeat(30))));
        open.privacy.clear();
        open.images(List.of("only class"), 6, 32, 3);
        open.write();
        openPage = open.path.resolve("report.html");
        browser = Browser.start(program.get());
    }

    @AfterAll
    static void stopBrowser() throws Exception {
        if (browser != null) {
            browser.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"1280, false", "1280, true", "390, false", "390, true"})
    void readsWellAtEveryWidthAndInEveryScheme(int width, boolean dark) throws Exception {
        assertEquals(List.of(), PageInspection.problems(browser, privatePage, width, dark));
        assertNull(browser.evaluate("window.taken"), "a class name ran as a script");
        assertEquals(List.of(), PageInspection.problems(browser, openPage, width, dark));
    }

    /** The inspection itself: each of these mistakes, put into the page, is found. */
    @Test
    void everyPlantedMistakeIsFound() throws Exception {
        Map<String, String> mistakes = new LinkedHashMap<>();
        mistakes.put("request: http://127.0.0.1:9/planted.png", "<img alt='x' src='http://127.0.0.1:9/planted.png'>");
        mistakes.put("failed request: ", "");
        mistakes.put("console: [{type=string, value=said}]", "<script>console.error('said')</script>");
        mistakes.put("console: {exceptionId=", "<script>throw new Error('thrown')</script>");
        mistakes.put("overflow: the page is 1", "<div style='width: 1500px'>wide</div>");
        mistakes.put(
                "overflow: div.far", "<div class='far' style='position: fixed; left: 1270px; width: 99px'>x</div>");
        mistakes.put("contrast: 2.7", "<p style='color: #999'>faint</p>");
        mistakes.put("image: one does not show", "<img alt='x' src='data:image/png;base64,AAAA'>");
        mistakes.put("image: one has no alternative text", "<img src='data:,'>");
        mistakes.put("small: 8 px", "<p style='font-size: 8px'>tiny</p>");
        mistakes.put("scheme: ", "<style>:root { --page: #111; --ink: #eee }</style>");
        mistakes.put("table: ", "<table><tr><td>1</td></tr></table>");
        mistakes.put("script: ", "");
        String page = Files.readString(privatePage);
        assertTrue(page.contains("<main>"), "nowhere to put the mistakes");
        Path broken = folder.resolve("broken.html");
        Files.writeString(
                broken,
                page.replaceFirst("<meta http-equiv=[^>]*>", "")
                        .replace("<main>", "<main>" + String.join("", mistakes.values())));
        List<String> problems = PageInspection.problems(browser, broken, 1280, false);
        mistakes.keySet()
                .forEach(problem -> assertTrue(
                        problems.stream().anyMatch(p -> p.startsWith(problem)), () -> problem + " in " + problems));
    }

    @Test
    void aBlankPageIsFound() throws Exception {
        Path blank = Files.writeString(folder.resolve("blank.html"), "<!doctype html><title>t</title>");
        List<String> problems = PageInspection.problems(browser, blank, 390, false);
        assertTrue(problems.stream().anyMatch(p -> p.startsWith("blank:")), problems::toString);
    }

    /** Should markup ever get into the page, the page's own policy still keeps it from loading anything. */
    @Test
    void thePolicyOfThePageBlocksRequestsAndScripts() throws Exception {
        String page = Files.readString(privatePage);
        Path broken = folder.resolve("broken.html");
        Files.writeString(
                broken, page.replace("<main>", "<main><script>window.taken=1</script><img alt='x' src='report.html'>"));
        List<String> problems = PageInspection.problems(browser, broken, 1280, false);
        assertNull(browser.evaluate("window.taken"));
        assertTrue(problems.stream().anyMatch(p -> p.contains("Content Security Policy")), problems::toString);
    }
}
