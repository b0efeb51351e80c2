package org.sapwood.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.io.RunFolder;
import org.sapwood.io.UserException;

/** What the page says, and what it must never say. */
class ReportPageTest {
    private static final String CLAIM = "(ε, δ)-differentially private";

    @TempDir
    Path folder;

    private ExampleRun example() {
        return ExampleRun.finished(folder.resolve("run"));
    }

    /** The text of the page as a reader sees it. */
    private static String text(String page) {
        return page.replaceAll("(?s)<style>.*?</style>", "")
                .replaceAll("<[^>]*>", " ")
                .replace('\u00a0', ' ')
                .replaceAll("\\s+", " ");
    }

    @Test
    void aFinishedPrivateRunStatesItsGuarantee() throws IOException {
        String text = text(example().write());
        assertTrue(text.contains(CLAIM + " with ε = 6.695 and δ = 1 × 10⁻⁵"), text);
        assertTrue(text.contains("adding or removing any one image with its label"), text);
        assertTrue(text.contains("e^ε = 808 times"), text);
        assertTrue(text.contains("a person with k images"), text);
        assertFalse(text.contains("NOT PRIVATE"), text);
    }

    /** ε is rounded up: 6.4721 is not "6.472". */
    @Test
    void privacyCostsAreRoundedUp() {
        assertEquals("6.473", Figures.up(6.4721));
        assertEquals("10", Figures.up(9.999995557735637));
        assertEquals("3.015\u00a0×\u00a010⁻⁵", Figures.up(3.01420911193057E-5));
        assertEquals("22,030", Figures.up(22026.46));
        assertEquals("∞", Figures.up(Double.POSITIVE_INFINITY));
        assertEquals("unknown", Figures.up(Double.NaN));
        assertEquals("−0.0024", Figures.rounded(-0.0024));
    }

    /** Whatever is missing or odd takes the claim away and puts the banner up. */
    @TestFactory
    Stream<DynamicTest> nothingLessThanACompleteLedgerIsAClaim() {
        Map<String, Consumer<ExampleRun>> flaws = Map.ofEntries(
                Map.entry("non-private method", run -> run.options.put("method", "NON_PRIVATE")),
                Map.entry("seeded", run -> run.privacy.put("randomness", "seeded, not private")),
                Map.entry("unknown randomness", run -> run.privacy.put("randomness", "hardware")),
                Map.entry("no randomness", run -> run.privacy.remove("randomness")),
                Map.entry("run.json says not private", run -> run.run.put("private", false)),
                Map.entry("run.json says nothing", run -> run.run.remove("private")),
                Map.entry("no ledger", run -> run.privacy.clear()),
                Map.entry("no events", run -> run.privacy.put("events", List.of())),
                Map.entry("infinite ε", run -> run.privacy.put("epsilon_spent", Map.of("pld", "Infinity"))),
                Map.entry("ε is a text", run -> run.privacy.put("epsilon", Map.of("pld", "ten"))),
                Map.entry("no δ", run -> run.privacy.remove("delta")),
                Map.entry("δ of 1", run -> run.privacy.put("delta", 1.0)),
                Map.entry("another relation", run -> run.privacy.put("adjacency", "REPLACE_ONE")));
        return flaws.entrySet().stream()
                .map(flaw -> DynamicTest.dynamicTest(flaw.getKey(), () -> {
                    ExampleRun run = ExampleRun.finished(folder.resolve(flaw.getKey()));
                    flaw.getValue().accept(run);
                    String page = run.write();
                    assertTrue(page.contains("<title>NOT PRIVATE · "), page);
                    assertFalse(text(page).contains(CLAIM), text(page));
                    assertTrue(page.contains("class=\"banner\""), page);
                }));
    }

    @Test
    void pretrainingClaimsNothing() throws IOException {
        ExampleRun run = example();
        run.run.put("command", "pretrain");
        run.run.remove("private");
        run.options.remove("method");
        run.privacy.clear();
        run.selection.clear();
        String text = text(run.write());
        assertTrue(text.contains("images that were declared public") && text.contains("nothing is claimed"), text);
        assertFalse(text.contains(CLAIM) || text.contains("NOT PRIVATE"), text);
    }

    @Test
    void aRunInProgressStatesWhatIsSpentSoFar() throws IOException {
        ExampleRun run = example();
        Map<String, Object> training = ExampleRun.event("training", 1, 0.1, 200);
        training.put("steps_spent", 50);
        training.put("steps_recorded", 37);
        run.privacy.put("events", List.of(training));
        run.privacy.put("epsilon_spent", Map.of("pld", 2.25, "rdp", 2.5));
        run.metrics.clear();
        String text = text(run.write());
        assertTrue(text.contains("So far the weights and samples"), text);
        assertTrue(text.contains("ε = 2.25 (of the ε = 6.695 planned)"), text);
        assertTrue(text.contains("in progress or stopped") && text.contains("steps spent, at most"), text);
    }

    /** The division of ε against the closed form of the Gaussian mechanism. */
    @Test
    void theBudgetBarDividesTheWholeAndNothingElse() {
        ExampleRun run = example();
        BudgetBar bar = BudgetBar.of(run.privacy, RunFacts.list(run.privacy.get("events")))
                .orElseThrow();
        assertEquals(
                List.of("training", "selection"),
                bar.parts().stream().map(BudgetBar.Part::name).toList());
        assertEquals(ExampleRun.EPSILON_OF_TRAINING, bar.parts().getFirst().epsilon(), 1e-8);
        assertEquals(
                ExampleRun.EPSILON - ExampleRun.EPSILON_OF_TRAINING,
                bar.parts().getLast().epsilon(),
                1e-8);
        run.privacy.put("epsilon", Map.of("pld", 5.0));
        assertTrue(BudgetBar.of(run.privacy, RunFacts.list(run.privacy.get("events")))
                .isEmpty());
        run.privacy.put("events", List.of(Map.of("name", "training", "q", 7.0)));
        assertTrue(BudgetBar.of(run.privacy, RunFacts.list(run.privacy.get("events")))
                .isEmpty());
    }

    @Test
    void everythingFromFilesIsEscaped() throws IOException {
        String hostile = ExampleRun.HOSTILE;
        ExampleRun run = ExampleRun.finished(folder.resolve(hostile));
        run.images(List.of(hostile), 2, 8, 1);
        run.select(List.of(hostile, "down_blocks.0." + hostile + ".0." + hostile + ".weight"), 1);
        run.selection.put("rule", hostile);
        run.options.put("method", hostile);
        run.options.put(hostile, hostile);
        run.options.put("data", Map.of("locations", List.of(hostile), "subset", hostile));
        run.run.put("backend", hostile);
        run.run.put("host", Map.of(hostile, hostile));
        run.privacy.put("events", List.of(ExampleRun.event(hostile, 1, 1, 1)));
        run.privacy.put("adjacency", hostile);
        run.metrics.put(hostile, Map.of(hostile, List.of(Map.of(hostile, hostile))));
        run.metrics.put("evaluation", Map.of("notice", hostile, hostile, Map.of(hostile, 0.5)));
        run.metrics.put("training", Map.of(hostile, hostile));
        String page = run.write();
        assertFalse(page.contains("<script"), "a name became markup");
        assertFalse(page.contains("<\\b"), "a name became markup");
        assertTrue(page.contains("&lt;script&gt;window.taken=1;&#39;&quot;&amp;amp;&lt;\\b&gt;"), page);
        run.run.put("command", hostile);
        assertFalse(run.write().contains("<script"), "the command became markup");
    }

    @Test
    void attributesAndTagsAreTheProgramsOwn() {
        assertThrows(IllegalArgumentException.class, () -> new Html().open("p", "on click=\"x\"", ""));
        assertThrows(IllegalStateException.class, () -> new Html().open("p").close("b"));
        assertThrows(IllegalStateException.class, () -> new Html().open("p").toString());
        assertThrows(IllegalArgumentException.class, () -> new Html().style("</style><script>"));
        assertEquals(
                "<!doctype html>\n<b>a\ufffdb\ufffd</b>",
                new Html().leaf("b", "a\u0000b\ud800").toString());
    }

    @Test
    void largeSetsAreShownInPartAndThePageStaysSmall() throws IOException {
        ExampleRun many = example();
        many.images(IntStream.range(0, 20).mapToObj(String::valueOf).toList(), 12, 32, 3);
        String page = many.write();
        assertTrue(text(page).contains("160 of 240 images, 16 of 20 classes"), text(page));
        assertTrue(page.length() < 1_000_000, "page of " + page.length());
        assertTrue(page.indexOf(">2</figcaption>") < page.indexOf(">10</figcaption>"), "2 comes before 10");

        ExampleRun heavy = ExampleRun.finished(folder.resolve("heavy"));
        heavy.images(IntStream.range(0, 16).mapToObj(i -> "class " + i).toList(), 2, 160, 3);
        assertTrue(heavy.write().length() < 1_000_000, "noise of 160×160 in colour, 77 kB each");
    }

    @Test
    void theSheetStandsInForSingleImages() throws IOException {
        ExampleRun run = example();
        run.images(List.of("a"), 1, 600, 3);
        Path images = run.path.resolve("samples/images");
        Path image = images.resolve("a/000000.png");
        assertTrue(Files.size(image) > 1_000_000, "noise does not compress");
        Files.move(image, run.path.resolve("samples/grid.png"));
        Files.delete(images.resolve("a"));
        Files.delete(images);
        String page = run.write();
        assertTrue(page.contains("alt=\"Contact sheet of synthetic images, one row per class\""), page);
        assertTrue(page.length() < 1_000_000, "page of " + page.length());
    }

    @Test
    void nothingIsLoadedFromAnywhere() throws IOException {
        ExampleRun run = example();
        run.images(List.of("0"), 3, 8, 1);
        String page = run.write();
        assertTrue(page.contains("default-src &#39;none&#39;"), page);
        for (String reference : List.of("http:", "https:", "//", "url(", "@import", "<link", "<script", "srcset")) {
            String outsideImages = page.replaceAll("data:image/png;base64,[A-Za-z0-9+/=]*", "data");
            assertFalse(outsideImages.contains(reference), reference);
        }
    }

    @Test
    void measuresStandBesideThoseOfRealImages() throws IOException {
        String text = text(example().write());
        assertTrue(text.contains("downstream accuracy 91.2 % ± 0.4 % 98.9 % ± 0.4 %"), text);
        assertTrue(text.contains("– of resnet 92.2 % 99.9 %"), text);
        assertTrue(text.contains("Fréchet distance 12.5 1.25"), text);
        assertTrue(text.contains("a measure of tomorrow 0.5 –"), text);
    }

    @Test
    void theMapHasEveryCandidateWithItsScore() throws IOException {
        ExampleRun run = example();
        List<String> names = ExampleRun.names(8);
        assertTrue(names.size() >= 130, names.size() + " matrices");
        run.select(names, 5);
        String page = run.write();
        for (int i = 0; i < names.size(); i++) {
            String cell = "title=\"" + names.get(i) + ", noisy score ";
            assertTrue(page.contains(cell), cell);
        }
        assertEquals((names.size() + 2) / 3, page.split("class=\"mark\"", -1).length - 1);
        assertEquals(
                new MatrixName("mid_block.attentions.0", "to_out"),
                MatrixName.of("mid_block.attentions.0.to_out.0.weight"));
        assertEquals(
                new MatrixName("up_blocks.1.attentions.2", "attn2.to_k"),
                MatrixName.of("up_blocks.1.attentions.2.transformer_blocks.0.attn2.to_k.weight"));
        assertEquals(new MatrixName("model", "conv_in"), MatrixName.of("conv_in.weight"));
        run.selection.put("noisy_scores", List.of());
        assertFalse(run.write().contains("noisy score "), "there are none");
    }

    @Test
    void theCommandLineSurvivesTheShell() throws IOException, InterruptedException {
        String odd = "/data/it's \"odd\" $HOME `id` \\ *\nnew line";
        ExampleRun run = example();
        run.options.put("data", Map.of("locations", List.of(odd)));
        run.write();
        List<String> words = CommandLineText.words(RunFacts.read(RunFolder.open(run.path)), "out folder");
        assertTrue(words.contains(odd), words::toString);
        Process shell = new ProcessBuilder(
                        "sh", "-c", "sapwood() { printf '%s\\0' sapwood \"$@\"; }; " + CommandLineText.forShell(words))
                .start();
        String said = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, shell.waitFor());
        assertEquals(words, List.of(said.split("\0")));
    }

    @Test
    void aFileThatIsNoJsonIsNamed() throws IOException {
        ExampleRun run = example();
        run.write();
        Files.writeString(run.path.resolve("metrics.json"), "[");
        UserException failure = assertThrows(UserException.class, () -> ReportPage.write(RunFolder.open(run.path)));
        assertTrue(String.valueOf(failure.getMessage()).contains("metrics.json"), failure::toString);
    }
}
