package org.sapwood.report;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.sapwood.io.RunFolder;

/**
 * {@code report.html} of a run: one file that makes no request and runs no script, to be read on a screen of any width,
 * in light or dark, or on paper.
 *
 * <p>It shows what is in {@code run.json}, {@code privacy.json}, {@code metrics.json} and {@code selection.json}, the
 * shapes of the weights, and synthetic images: nothing about the private images that those files do not already hold.
 */
public final class ReportPage {
    private static final String STYLE = "report.css";

    /** Nothing may be loaded, whatever got into the page. */
    private static final String POLICY =
            "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

    private ReportPage() {}

    /**
     * Writes the page from the files that the run has so far.
     *
     * @param folder of the run
     * @return the file
     * @throws org.sapwood.io.UserException when a file of the run cannot be read or the page not be written
     */
    public static Path write(RunFolder folder) {
        folder.writeText(folder.report(), render(RunFacts.read(folder)));
        return folder.report();
    }

    private static String render(RunFacts facts) {
        Claim claim = Claim.of(facts);
        List<Section> sections = List.of(
                new GuaranteeSection(facts, claim),
                new SamplesSection(facts),
                new LedgerSection(facts, claim),
                new MetricsSection(facts),
                new SaliencySection(facts),
                new TrainedSection(facts),
                new ReproduceSection(facts, claim));
        Html html = new Html();
        html.open("html", "lang", "en").open("head");
        html.empty("meta", "charset", "utf-8");
        html.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
        html.empty("meta", "http-equiv", "Content-Security-Policy", "content", POLICY);
        html.empty("meta", "name", "color-scheme", "content", "light dark");
        html.leaf("title", title(facts, claim)).style(styleSheet()).close("head");
        html.open("body");
        Masthead.append(html, facts, claim);
        html.open("main");
        for (Section section : sections) {
            if (section.hasContent()) {
                html.open("section", "id", section.id(), "aria-labelledby", section.id() + "-title");
                html.leaf("h2", section.title(), "id", section.id() + "-title");
                section.append(html);
                html.close("section");
            }
        }
        html.close("main");
        Masthead.appendFooter(html, facts);
        return html.close("body").close("html").toString();
    }

    private static String title(RunFacts facts, Claim claim) {
        String title = facts.title() + " · " + Masthead.runName(facts) + " · Sapwood";
        return claim.isNotPrivate() ? Masthead.NOT_PRIVATE + " · " + title : title;
    }

    private static String styleSheet() {
        try (InputStream in = Objects.requireNonNull(ReportPage.class.getResourceAsStream(STYLE), STYLE)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("cannot read the style sheet of this build", e);
        }
    }
}
