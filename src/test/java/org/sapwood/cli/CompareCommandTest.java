package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sapwood.io.Json;

/** The command with the real commands below it, on a model of a few thousand weights and 20 images of two classes. */
class CompareCommandTest {
    private static final int STEPS = 150;

    @TempDir
    static Path shared;

    private static Path images;
    private static TinyModel model;

    @TempDir
    Path folder;

    @BeforeAll
    static void makeInput() throws IOException {
        Path all = shared.resolve("digits");
        assertEquals(0, Run.of("glyphs --count 100 --out", all).code());
        images = Files.createDirectories(shared.resolve("two"));
        for (String digit : List.of("0", "1")) {
            Files.move(all.resolve(digit), images.resolve(digit));
        }
        model = TinyModel.write(shared, 0);
    }

    /** A spec whose only run is DP-LoRA, with {@code more} before its end. */
    private Path spec(String more) throws IOException {
        return Files.writeString(
                folder.resolve("tiny.json"), """
                    {"train": {"public-model": "%s", "data": ["%s"], "size": 8, "batch": 20, "steps": %d, "delta": 1e-3,
                               "augmentations": 1, "epsilon": 8, "threads": 1},
                     "sample": {"count": 20, "sampling-steps": 1, "threads": 1},
                     "evaluate": {"test": "%s", "classifier-steps": 1, "classifier-seeds": 1, "no-reference": true,
                                  "threads": 1},
                     "runs": [{"name": "lora", "train": {"method": "dp-lora"}}]%s}
                    """.formatted(model.weights(), images, STEPS, images, more));
    }

    private Path out() {
        return folder.resolve("out");
    }

    private Run compare(Path spec, String options) {
        return Run.of("compare --spec", spec, "--out", out(), ("--quiet --json " + options).strip());
    }

    @Test
    void aDryRunPrintsCommandsThatTheCommandsTakeAndRunsNothing() throws IOException {
        Run run = Run.of("compare --dry-run --spec", spec(", \"grid\": {\"epsilon\": [1, 8]}"), "--out", out());
        assertEquals(0, run.code(), run.err());
        List<String> lines = run.out().lines().toList();
        assertEquals(9, lines.size(), run.out());
        assertEquals("lora_epsilon-1: to be trained", lines.getFirst());
        assertEquals(
                "  sapwood train --out " + out().resolve("lora_epsilon-1") + " --public-model " + model.weights()
                        + " --data " + images + " --size 8 --batch 20 --steps " + STEPS
                        + " --delta 0.001 --augmentations 1 --epsilon 1 --threads 1 --method dp-lora",
                lines.get(1));
        assertEquals("2 cells; nothing was run", lines.getLast());
        assertFalse(Files.exists(out()));
    }

    /** The specs that are shipped fit the commands that are shipped. */
    @ParameterizedTest
    @ValueSource(strings = {"ablations-dp-sapf", "candidates-unet28x", "side-by-side"})
    void shippedSpecsAreTaken(String name) {
        Run run = Run.of("compare --dry-run --spec", Path.of("docs/specs", name + ".json"), "--out", out());
        assertEquals(0, run.code(), run.err());
    }

    /** With the command's own message, before anything runs. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"train\": {\"epsilonn\": 1}     | lora_epsilon-1: train: unknown option --epsilonn",
                "\"train\": {\"steps\": \"many\"} | lora_epsilon-1: train: Invalid value for option '--steps'",
                "\"train\": {\"data\": true}      | train: Expected parameter for option '--data' but found",
                "\"evaluate\": {\"test\": null}   | lora_epsilon-1: evaluate: --test is required",
                "\"sample\": {\"count\": [1, 2]}  | lora_epsilon-1: sample: option '--count' (N) should be specified"
                        + " only once",
            })
    void wrongOptionsAreRefused(String section, String message) throws IOException {
        Path file = spec(", \"grid\": {\"epsilon\": [1]}");
        Files.writeString(
                file,
                Files.readString(file)
                        .replace(
                                "\"train\": {\"method\"",
                                section + ", \"grid\": {\"epsilon\": [1]}}, {\"name\": \"b\", \"train\": {\"method\"")
                        .replace(
                                "\"threads\": 1},\n \"sample\"",
                                "\"threads\": 1, \"method\": \"dp-lora\"},\n \"sample\""));
        compare(file, "").failed(2, file + ": cell ", message);
        assertFalse(Files.exists(out()));
    }

    @Test
    void whatIsNoSpecIsRefused() throws IOException {
        compare(spec(", \"reapeats\": 2"), "").failed(1, "unknown section 'reapeats'");
        compare(spec(""), "--seed 1").failed(2, "--seed is no option of a comparison");
        compare(folder.resolve("nowhere.json"), "").failed(1, "nowhere.json");
        assertFalse(Files.exists(out()));
    }

    /** The process that trains is killed in the middle; the next attempt spends what is left and not a step more. */
    @Test
    void aKilledTrainingIsResumedWithTheBudgetItHasLeft() throws Exception {
        Path spec = spec("");
        Path run = out().resolve("lora");
        Thread killer = Thread.ofPlatform().start(() -> killTraining(run));
        Run first = compare(spec, "");
        killer.join();
        assertEquals(1, first.code(), first.err());
        Map<String, Object> failed = Json.parseObject(first.out(), "standard output");
        assertTrue(failed.toString().contains("train: ended with exit code 137"), failed.toString());
        assertFalse(Files.exists(run.resolve("metrics.json")), "the training was over before it was killed");
        Object planned = Json.readObject(run.resolve("privacy.json")).get("epsilon");
        String options = Files.readString(run.resolve("run.json"));
        assertEquals(
                "[]",
                Files.readAllLines(out().resolve("compare.csv")).stream()
                        .skip(1)
                        .toList()
                        .toString());

        Map<String, Object> done = compare(spec, "").json();
        assertEquals(1, done.get("complete"));
        assertEquals(options, Files.readString(run.resolve("run.json")), "the run was begun again");
        Map<String, Object> ledger = Json.readObject(run.resolve("privacy.json"));
        assertEquals(planned, ledger.get("epsilon"));
        assertEquals("secure", ledger.get("randomness"));
        assertTrue(
                Files.readString(run.resolve("privacy.json")).contains("\"steps_spent\" : " + STEPS),
                ledger.toString());
        String log = Files.readString(out().resolve("cells/lora.log"));
        assertEquals(
                List.of("train", "resume", "sample", "evaluate"),
                log.lines()
                        .filter(line -> line.startsWith("$ sapwood "))
                        .map(line -> line.split(" ", -1)[2])
                        .toList());
        String table = Files.readString(out().resolve("compare.md"));
        assertTrue(table.contains("| lora | dp-lora | "), table);
        assertTrue(table.contains("≥ "), table);
        assertTrue(Files.size(out().resolve("compare.png")) > 10_000);
    }

    private void killTraining(Path run) {
        Path record = out().resolve("cells/lora.json");
        try {
            for (int tries = 0; tries < 2000; tries++) {
                Thread.sleep(5);
                Path journal = run.resolve("privacy.spent");
                if (Files.exists(journal)
                        && Files.size(journal) > 20
                        && Json.readObject(record).get("process") instanceof Map<?, ?> process) {
                    ProcessHandle.of(((Number) Objects.requireNonNull(process.get("pid"))).longValue())
                            .ifPresent(ProcessHandle::destroyForcibly);
                    return;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
