package org.sapwood.cli.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.io.Json;

/** Known answers for the table, the budget beneath it and the picture. */
@Tag("no-vector")
class CompareTablesTest {
    @TempDir
    Path out;

    private final FakeCommands commands = new FakeCommands();

    /** What the evaluation measures beside an accuracy. */
    private DoubleUnaryOperator frechet = accuracy -> 189.2;

    private void run(String json, double... accuracies) throws InterruptedException {
        CompareSpec spec = CompareSpec.parse(Json.parseObject(json.replace('\'', '"'), "spec"), "spec", "spec");
        int[] next = {0};
        Launcher launcher = (words, log) -> {
            if (words.getFirst().equals("evaluate")) {
                commands.accuracy = accuracies[next[0]++];
                commands.frechet = frechet.applyAsDouble(commands.accuracy);
            }
            return commands.start(words, log);
        };
        new Comparison(spec, spec.cells(commands), out).run(launcher, Map.of(), line -> {});
    }

    private String read(String name) throws IOException {
        return Files.readString(out.resolve(name));
    }

    @Test
    void repeatsAreAveragedWithTheirDeviation() throws Exception {
        run(
                "{'title': 'T', 'repeats': 3, 'runs': [{'name': 'a|b, c', 'train': {'method': 'dp-sapf', 'epsilon':"
                        + " 10}}, {'name': 'open', 'train': {'method': 'non-private'}}]}",
                0.60,
                0.90,
                0.62,
                0.90,
                0.67,
                0.90);
        String table = read("compare.md");
        assertTrue(table.startsWith("""
            # T

            | run | method | ε spent | δ | σ training | σ query | steps | trained weights | accuracy, % | Fréchet distance | precision / recall | seconds | peak, MiB |
            | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
            | a\\|b, c | dp-sapf | 9.996 | 1.386e-5 | 0.6789 | 0.4719 | 80 | 12,345 | 63.0 ± 3.6 | 189 ± 0 | 0.18 / 0.77 | 90 | 300 |
            | open | non-private | ∞ | – | – | – | 7 | 12,345 | 90.0 ± 0.0 | 189 ± 0 | 0.18 / 0.77 | 90 | 300 |

            Mean ± standard deviation over 3 runs of each line\
            """), table);
        // 3 · 9.996 and 3 · 1.386e-5, rounded up.
        assertTrue(
                table.contains("The 3 private runs on the same images are together (ε = 29.99, δ = 4.158e-5)-private"
                        + " by basic composition"),
                table);
        assertTrue(table.contains("**3 runs have no guarantee**"), table);
        assertTrue(table.contains("**Choosing is not covered.**"), table);

        List<String> csv = read("compare.csv").lines().toList();
        assertEquals(
                List.of(
                        "run,method,guarantee,repeats,epsilon_spent,delta,sigma_training,sigma_query,steps,trained_weights,"
                                + "accuracy_percent,accuracy_percent_sd,accuracy_percent_cnn,frechet_distance,"
                                + "frechet_distance_sd,precision,precision_sd,recall,recall_sd,seconds,seconds_sd,resumed,"
                                + "images_per_second,peak_rss_mib",
                        "\"a|b, c\",dp-sapf,private,3,9.996,1.386E-5,0.67891,0.4719,80,12345,"
                                + "63,3.605551275463986,63,189.2,0,0.18,0,0.77,0,90,0,false,,300"),
                rounded(csv.subList(0, 2)));
        assertTrue(csv.get(2).startsWith("open,non-private,none,3,Infinity,,,,7,12345,"), csv.get(2));
    }

    /** Numbers that differ from a whole one or from 3.605… in the last digits only. */
    private static List<String> rounded(List<String> lines) {
        return lines.stream()
                .map(line -> line.replaceAll("\\b6[23]\\.(0{9}|9{9})\\d*", "63")
                        .replaceAll("3\\.6055512754\\d*", "3.605551275463986")
                        .replaceAll("189\\.(1999999|2000000)\\d*", "189.2")
                        .replaceAll("0\\.(1799999|1800000)\\d+", "0.18")
                        .replaceAll("0\\.(7699999|7700000)\\d+", "0.77")
                        .replaceAll("\\b\\d\\.\\d+E-1\\d\\b|\\b0\\.0\\b", "0"))
                .toList();
    }

    @Test
    void aSingleRunShowsTheDeviationOfItsClassifiersAndASeededOneSaysSo() throws Exception {
        String json = "{'runs': [{'name': 'a', 'train': {'method': 'dp-sapf', 'epsilon': 10}}]}";
        run(json, 0.672);
        assertTrue(read("compare.md").contains("| 67.2 ± 2.6 | 189 |"), read("compare.md"));
        Files.writeString(out.resolve("a/privacy.json"), Json.pretty(FakeCommands.ledger(10, "seeded, not private")));
        run(json);
        String table = read("compare.md");
        assertTrue(table.contains("| 9.996 (seeded, not private) |"), table);
        assertTrue(table.contains("**One run has no guarantee**") && !table.contains("composition"), table);
    }

    /** A method with several queries shows each by name; architectures get columns where there are several. */
    @Test
    void severalQueriesAndArchitectures() throws Exception {
        String json = "{'runs': [{'name': 'a', 'train': {'method': 'dpaf', 'epsilon': 10}}]}";
        run(json, 0.7);
        Map<String, Object> ledger = new HashMap<>(FakeCommands.ledger(10, "secure"));
        ledger.put(
                "events",
                List.of(
                        Map.of("name", "aggregate", "sigma", 1.25, "steps", 400),
                        Map.of("name", "conv2", "sigma", 3.5, "steps", 50)));
        Files.writeString(out.resolve("a/privacy.json"), Json.pretty(ledger));
        String metrics = read("a/metrics.json");
        Files.writeString(
                out.resolve("a/metrics.json"),
                metrics.replace("\"architectures\" : {", "\"architectures\" : {\"wrn\" : {\"mean\" : 0.75},"));
        run(json);
        String table = read("compare.md");
        assertTrue(table.contains("| aggregate 1.25, conv2 3.5 | 400 |"), table);
        assertTrue(table.contains("| accuracy, % | wrn | cnn |"), table);
        assertTrue(table.contains("| 70.0 ± 2.6 | 75.0 | 70.0 |"), table);
    }

    @Test
    void deviationsAreThoseOfASample() {
        Spread spread = new Spread(2, 1, 3);
        assertEquals(new Spread(200, 100, 3), spread.times(100));
        assertEquals(
                Spread.NONE.count(),
                Spread.of(List.of(), result -> OptionalDouble.empty()).count());
    }

    @Test
    void costsAreNeverShownSmallerThanTheyAre() {
        assertEquals("9.997", Numbers.cost(9.9961));
        assertEquals("10", Numbers.cost(9.99999));
        assertEquals("10", Numbers.cost(10));
        assertEquals("1.387e-5", Numbers.cost(1.38601e-5));
        assertEquals("0.001", Numbers.cost(0.00099999));
        assertEquals("0", Numbers.cost(0));
        assertEquals("∞", Numbers.cost(Double.POSITIVE_INFINITY));
        assertEquals("–", Numbers.cost(Double.NaN));
    }

    /** Bars by run, and lines over an axis of numbers with a level beside them: both show every series in its color. */
    @Test
    void thePictureShowsEverySeries() throws Exception {
        frechet = accuracy -> 300 * (1 - accuracy);
        run(
                "{'grid': {'epsilon': [10, 1]}, 'runs': [{'name': 'a', 'train': {'method': 'dp-sapf'}},"
                        + " {'name': 'b', 'train': {'method': 'dp-lora'}}]}",
                0.6,
                0.5,
                0.7,
                0.6);
        assertColors(0x0072B2, 0xD55E00);
        out = Files.createDirectory(out.resolve("lines"));
        run(
                "{'grid': {'select-fraction': [0.1, 0.3, 0.7]}, 'train': {'method': 'dp-sapf', 'epsilon': 10}, 'runs':"
                        + " [{'name': 'energy'}, {'name': 'random'}, {'name': 'all', 'grid': {}},"
                        + " {'name': 'automatic', 'train': {'select-fraction': 0.3}, 'grid': {}}]}",
                0.5,
                0.8,
                0.6,
                0.45,
                0.55,
                0.65,
                0.75,
                0.7);
        assertColors(0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7);
    }

    private void assertColors(int... wanted) throws IOException {
        BufferedImage picture = ImageIO.read(out.resolve("compare.png").toFile());
        int half = picture.getHeight() / 2;
        for (int top : new int[] {0, half}) {
            Set<Integer> seen = new HashSet<>();
            // The left three quarters: the legend must not be what is found.
            for (int y = top; y < top + half; y++) {
                for (int x = 0; x < picture.getWidth() * 3 / 4; x++) {
                    seen.add(picture.getRGB(x, y) & 0xFFFFFF);
                }
            }
            for (int color : wanted) {
                assertTrue(seen.contains(color), () -> String.format("%06X is not drawn", color));
            }
        }
    }
}
