package org.sapwood.cli.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;

/** What a comparison does with cells that are new, complete, killed, failed or another's. */
@Tag("no-vector")
class ComparisonTest {
    private static final String TWO = "{\"grid\": {\"epsilon\": [10, 1]}, \"runs\": [{\"name\": \"a\", \"train\":"
            + " {\"method\": \"dp-lora\"}}]}";

    @TempDir
    Path out;

    private final FakeCommands commands = new FakeCommands();

    private Comparison comparison(String json) {
        CompareSpec spec = CompareSpec.parse(Json.parseObject(json, "spec"), "spec", "spec");
        return new Comparison(spec, spec.cells(commands), out);
    }

    private Comparison.Result run(String json) throws InterruptedException {
        commands.ran.clear();
        return comparison(json).run(commands, Map.of("threads", "2"), line -> {});
    }

    /** What was run, without options: {@code train a_epsilon-10}. */
    private List<String> ran() {
        return commands.ran.stream()
                .map(line -> line.replace("--out ", "").replace("--run ", "").split(" ", -1))
                .map(words -> words[0] + " " + Path.of(words[1]).getFileName())
                .toList();
    }

    private String table() throws IOException {
        return Files.readString(out.resolve("compare.md"));
    }

    @Test
    void cellsRunOneAfterTheOtherAndCompleteOnesArePassedOver() throws Exception {
        Comparison.Result result = run(TWO);
        assertEquals(
                List.of(
                        "train a_epsilon-10",
                        "sample a_epsilon-10",
                        "evaluate a_epsilon-10",
                        "train a_epsilon-1",
                        "sample a_epsilon-1",
                        "evaluate a_epsilon-1"),
                ran());
        assertEquals(2, result.complete());
        assertTrue(commands.ran.stream().allMatch(line -> line.endsWith(" --threads 2")), commands.ran.toString());

        String before = table();
        Files.delete(out.resolve("compare.md"));
        run(TWO);
        assertEquals(List.of(), ran());
        assertEquals(before, table());
    }

    /** The rest of the table is made whatever fails, and the next attempt takes up the failed cell where it stopped. */
    @ParameterizedTest
    @CsvSource({
        "train,    'resume a_epsilon-10;sample a_epsilon-10;evaluate a_epsilon-10', 1",
        "sample,   'sample a_epsilon-10;evaluate a_epsilon-10', 2",
        "evaluate, 'evaluate a_epsilon-10', 3",
    })
    void aKilledCellGoesOnWhereItStopped(String stage, String rest, int stagesOfFirst) throws Exception {
        commands.killNext = stage;
        Comparison.Result result = run(TWO);
        assertEquals(1, result.complete());
        assertEquals(List.of("a_epsilon-10"), List.copyOf(result.failed().keySet()));
        assertEquals(stagesOfFirst + 3, commands.ran.size(), commands.ran.toString());
        assertTrue(table().contains("* `a_epsilon-10`: failed, " + stage + ": "), table());
        String reason = stage.equals("evaluate") ? "no such test set" : "ended with exit code 137; see ";
        assertTrue(table().contains(stage + ": " + reason), table());
        // An unfinished run counts with what it planned, 10, a complete one with what it spent, 1 - 0.004.
        assertTrue(
                table().contains("The 2 private runs on the same images are together (ε = "
                        + "11, δ = 2.772e-5)-private"),
                table());

        String ledger = Files.readString(out.resolve("a_epsilon-10/privacy.json"));
        result = run(TWO);
        assertEquals(List.of(rest.split(";")), ran());
        assertEquals(2, result.complete());
        assertEquals(ledger, Files.readString(out.resolve("a_epsilon-10/privacy.json")), "the budget was paid again");
        assertEquals(stage.equals("train"), table().contains("≥ 90"), table());
        try (Stream<Path> images = Files.list(out.resolve("a_epsilon-10/samples/images/0"))) {
            assertEquals(2, images.count(), "half-drawn images stayed");
        }
        assertFalse(table().contains("failed"), table());
    }

    /** Before run.json nothing was asked of the images: such a folder cannot be resumed, and is begun again. */
    @Test
    void aTrainingThatWasKilledBeforeItBeganIsBegunAgain() throws Exception {
        commands.killNext = "train";
        run(TWO);
        Files.delete(out.resolve("a_epsilon-10/run.json"));
        run(TWO);
        assertEquals("train a_epsilon-10", ran().getFirst());
    }

    /** A training that ended when nobody was left to write it down is not repeated. */
    @Test
    void theRunFolderIsBelievedRatherThanTheRecord() throws Exception {
        run(TWO);
        Path record = out.resolve("cells/a_epsilon-10.json");
        Files.writeString(
                record,
                Files.readString(record)
                        .replace("\"sampled\" : true", "\"sampled\" : false")
                        .replace("\"evaluated\" : true", "\"evaluated\" : false"));
        run(TWO);
        assertEquals(List.of("sample a_epsilon-10", "evaluate a_epsilon-10"), ran());
    }

    @Test
    void anotherCommandForACellOrAFolderOfAnotherIsRefusedByName() throws Exception {
        run(TWO);
        String here = Path.of("").toAbsolutePath() + "$";
        String other = TWO.replace("dp-lora", "dp-sapf");
        String said = assertThrows(UserException.class, () -> comparison(other).requireFit())
                .getMessage();
        assertTrue(
                said.contains("cell a_epsilon-10 was trained with other options: then '" + here
                        + " --method dp-lora --epsilon 10', now '" + here + " --method dp-sapf --epsilon 10'"),
                said);
        assertThrows(UserException.class, () -> run(other));
        assertEquals(List.of(), ran());

        Files.createDirectories(out.resolve("b"));
        Files.writeString(out.resolve("b/precious.txt"), "mine");
        String stranger = "{\"runs\": [{\"name\": \"b\", \"train\": {\"method\": \"dp-lora\"}}]}";
        said = assertThrows(UserException.class, () -> run(stranger)).getMessage();
        assertTrue(said.contains("b is there already and is not of this comparison"), said);
        assertTrue(Files.exists(out.resolve("b/precious.txt")));
    }

    /** A mistake in the evaluation is found after hours of training: mending it must not cost them, or the budget. */
    @Test
    void commandsThatAreStillToBeRunMayChange() throws Exception {
        commands.killNext = "evaluate";
        run(TWO);
        String mended = TWO.replace("{\"grid\"", "{\"evaluate\": {\"test\": \"t\"}, \"grid\"");
        String said = assertThrows(UserException.class, () -> run(mended)).getMessage();
        assertTrue(said.contains("cell a_epsilon-1 was evaluated with other options"), said);

        String first = mended.replace("[10, 1]", "[10]");
        run(first);
        assertEquals(List.of("evaluate a_epsilon-10"), ran());
        assertTrue(commands.ran.getFirst().contains("--test t"), commands.ran.toString());
        said = assertThrows(UserException.class, () -> run(TWO)).getMessage();
        assertTrue(said.contains("cell a_epsilon-10 was evaluated with other options"), said);
    }

    /** A signal is meant for the whole comparison: nothing else is started, nothing is called a failure. */
    @Test
    void toldToEndItEnds() throws Exception {
        commands.killNext = "train";
        commands.killedCode = ChildJvm.SIGTERM;
        String said = assertThrows(UserException.class, () -> run(TWO)).getMessage();
        assertTrue(said.contains("told to end during train of cell a_epsilon-10"), said);
        assertEquals(List.of("train a_epsilon-10"), ran());
        run(TWO);
        assertEquals("resume a_epsilon-10", ran().getFirst());
    }

    @Test
    void oneFolderHasOneComparisonAtATime() throws Exception {
        run(TWO);
        try (FileChannel channel = FileChannel.open(out.resolve("cells/.lock"), StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            String said = assertThrows(UserException.class, () -> run(TWO)).getMessage();
            assertTrue(lock.isValid() && said.contains("another comparison is running in"), said);
        }
    }

    /** A comparison that was killed may have left a training behind that goes on by itself. */
    @Test
    void aCellThatAProcessStillWorksOnIsLeftAlone() throws Exception {
        run(TWO);
        Path file = out.resolve("cells/a_epsilon-1.json");
        CellRecord record = CellRecord.read(file).orElseThrow();
        CellRecord.Working self = CellRecord.Working.of(ProcessHandle.current());
        record.withProcess(Optional.of(self)).write(file);
        String said = assertThrows(UserException.class, () -> run(TWO)).getMessage();
        assertTrue(said.contains("process " + self.pid() + " of an earlier comparison still works on cell"), said);

        record.withProcess(Optional.of(new CellRecord.Working(self.pid(), "2001-01-01T00:00:00Z")))
                .write(file);
        run(TWO);
    }

    @Test
    void theTableGrowsWithEveryCell() throws Exception {
        Comparison comparison = comparison(TWO);
        Launcher watching = (words, log) -> {
            if (words.getFirst().equals("train") && words.get(2).endsWith("a_epsilon-1")) {
                assertTrue(table().contains("| a | 10 | dp-lora | 9.996 | 1.386e-5 |"), table());
                assertTrue(table().contains("* `a_epsilon-1`: not begun"), table());
                assertTrue(Files.exists(out.resolve("compare.png")));
            }
            return commands.start(words, log);
        };
        assertEquals(2, comparison.run(watching, Map.of(), line -> {}).complete());
    }
}
