package org.sapwood.report;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import javax.imageio.ImageIO;
import org.sapwood.report.Browser.Event;

/**
 * What is wrong with a page as a browser shows it: errors on the console, requests, content wider than the window, text
 * too faint to read, pictures that do not show, a blank screen.
 */
final class PageInspection {
    private static final int HEIGHT = 900;

    /** A page with text and pictures has hundreds. */
    private static final int LEAST_COLOURS = 40;

    private PageInspection() {}

    /**
     * Looks at a page.
     *
     * @param width of the window in CSS pixels
     * @param dark whether the user prefers dark pages
     * @return one line per problem
     */
    static List<String> problems(Browser browser, Path page, int width, boolean dark)
            throws IOException, InterruptedException {
        browser.call(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", HEIGHT, "deviceScaleFactor", 1, "mobile", false));
        browser.call(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
        List<Event> events = browser.open(page.toUri());
        List<String> problems = new ArrayList<>();
        RunFacts.list(browser.evaluate(script())).forEach(problem -> problems.add(problem.toString()));
        int colours = colours(screenshot(browser));
        if (colours < LEAST_COLOURS) {
            problems.add("blank: the screen has " + colours + " colours");
        }
        events.forEach(event -> addEvent(problems, event, page));
        return problems;
    }

    private static void addEvent(List<String> problems, Event event, Path page) {
        Map<?, ?> params = event.params();
        switch (event.method()) {
            case "Network.requestWillBeSent" -> {
                String url = String.valueOf(RunFacts.map(params.get("request")).get("url"));
                if (!url.startsWith("data:") && !url.equals(page.toUri().toString())) {
                    problems.add("request: " + url);
                }
            }
            case "Network.loadingFailed" -> problems.add("failed request: " + params.get("errorText"));
            case "Runtime.exceptionThrown" -> problems.add("console: " + params.get("exceptionDetails"));
            case "Runtime.consoleAPICalled" -> {
                if (Set.of("error", "warning", "assert").contains(String.valueOf(params.get("type")))) {
                    problems.add("console: " + params.get("args"));
                }
            }
            case "Log.entryAdded" -> {
                Map<?, ?> entry = RunFacts.map(params.get("entry"));
                if (Set.of("error", "warning").contains(String.valueOf(entry.get("level")))) {
                    problems.add("console: " + entry.get("text"));
                }
            }
            default -> {}
        }
    }

    /** The window as it is shown. */
    static byte[] screenshot(Browser browser) {
        Object data =
                browser.call("Page.captureScreenshot", Map.of("format", "png")).get("data");
        return Base64.getDecoder().decode(String.valueOf(data));
    }

    private static int colours(byte[] png) throws IOException {
        BufferedImage image = Objects.requireNonNull(ImageIO.read(new ByteArrayInputStream(png)));
        Set<Integer> colours = new HashSet<>();
        for (int y = 0; y < image.getHeight(); y += 2) {
            for (int x = 0; x < image.getWidth(); x++) {
                colours.add(image.getRGB(x, y));
            }
        }
        return colours.size();
    }

    private static String script() throws IOException {
        try (InputStream in = Objects.requireNonNull(PageInspection.class.getResourceAsStream("inspect.js"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
