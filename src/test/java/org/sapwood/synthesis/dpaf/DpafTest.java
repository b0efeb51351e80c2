package org.sapwood.synthesis.dpaf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.diffusion.DpmSolver;
import org.sapwood.diffusion.SamplingOptions;
import org.sapwood.io.Json;
import org.sapwood.io.RunFolder;
import org.sapwood.io.Safetensors;
import org.sapwood.io.UserException;
import org.sapwood.nn.GanConfig;
import org.sapwood.synthesis.FineTuning;
import org.sapwood.synthesis.GanImageGenerator;
import org.sapwood.synthesis.ProgressListener;
import org.sapwood.synthesis.RunRecord;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Backends;

/** Whole runs: budget, files, resuming, sampling. */
class DpafTest {
    private static final BackendChoice BACKEND = Backends.choose();

    @TempDir
    private Path temp;

    private FineTuning.Result run(String name, DpafOptions options, int threads) {
        return Dpaf.start(options, temp.resolve(name), BACKEND, threads, ProgressListener.SILENT);
    }

    private static List<?> events(Path folder) {
        Object events = Json.readObject(folder.resolve("privacy.json")).get("events");
        return (List<?>) Objects.requireNonNull(events);
    }

    private static int spent(Path folder, String event) {
        return events(folder).stream()
                .map(e -> (Map<?, ?>) e)
                .filter(e -> event.equals(e.get("name")))
                .mapToInt(e -> ((Number) Objects.requireNonNull(e.get("steps_spent"))).intValue())
                .findFirst()
                .orElseThrow();
    }

    @Test
    void budgetCoversBothQueriesAndIsMet() {
        FineTuning.Result result = run("run", TinyGans.options(3, 1, OptionalLong.empty()), 2);
        Path folder = result.folder().path();
        assertTrue(result.epsilon() <= 8 && result.epsilon() > 7.9, "epsilon " + result.epsilon());
        assertEquals(3, spent(folder, "aggregates"));
        assertEquals(2, spent(folder, "conv2"));
        assertEquals("secure", Json.readObject(folder.resolve("privacy.json")).get("randomness"));
        assertEquals("train", RunRecord.command(result.folder()));
        assertTrue(Dpaf.describes(RunRecord.options(result.folder(), "train")));
        assertTrue(Files.exists(folder.resolve("metrics.json")));
        assertEquals(3, result.folder().newestCheckpoint().orElseThrow().step());
    }

    @Test
    void seededRunHasTheSameBytesForAnyNumberOfThreads() throws IOException {
        DpafOptions options = TinyGans.options(2, 1, OptionalLong.of(4));
        Path one =
                run("one", options, 1).folder().newestCheckpoint().orElseThrow().path();
        Path three = run("three", options, 3)
                .folder()
                .newestCheckpoint()
                .orElseThrow()
                .path();
        assertArrayEquals(Files.readAllBytes(one), Files.readAllBytes(three));
        assertEquals(
                "seeded, not private",
                Json.readObject(temp.resolve("one/privacy.json")).get("randomness"));
    }

    @Test
    void stoppedRunGoesOnWithinItsBudget() {
        DpafOptions options = TinyGans.options(4, 2, OptionalLong.empty());
        Path out = temp.resolve("run");
        assertThrows(
                IllegalStateException.class,
                () -> Dpaf.start(options, out, BACKEND, 1, (done, total, epsilon, rate) -> {
                    if (done == 3) {
                        throw new IllegalStateException("stopped by the test");
                    }
                }));
        RunFolder folder = RunFolder.resume(out);
        assertEquals(2, spent(out, "aggregates"));
        long before = folder.newestCheckpoint().orElseThrow().step();
        assertEquals(2, before, "the second answer is paid for and must not be lost");
        float[] conv1 = Safetensors.read(folder.optimizer(before))
                .require("conv1.weight")
                .toFloats();
        FineTuning.Result result = Dpaf.resume(folder, BACKEND, 1, ProgressListener.SILENT);
        assertEquals(4, spent(out, "aggregates"));
        assertTrue(spent(out, "conv2") <= 1);
        assertTrue(result.epsilon() <= 8);
        // A resumed run that draws conv1 anew would make every aggregate so far worthless.
        assertArrayEquals(
                conv1,
                Safetensors.read(folder.optimizer(4)).require("conv1.weight").toFloats());
        assertEquals(
                4L * options.rounds(),
                Safetensors.read(folder.optimizer(4)).require("counters").toLongs()[0],
                "the rounds that the killed run still owed were played");
        assertEquals(
                result.epsilon(),
                Dpaf.resume(folder, BACKEND, 1, ProgressListener.SILENT).epsilon(),
                "a finished run spends nothing more");
    }

    @Test
    void checkpointDrawsTheSameImagesHoweverTheyAreCut() {
        FineTuning.Result result = run("run", TinyGans.options(1, 0, OptionalLong.of(2)), 1);
        assertEquals(1, events(result.folder().path()).size(), "conv2 is not trained, so it costs nothing");
        GanImageGenerator generator = GanImageGenerator.read(
                result.folder().path().resolve("config.json"),
                result.folder().newestCheckpoint().orElseThrow().path());
        assertEquals(10, generator.classes());
        int[] labels = {3, 1, 4, 1, 5, 9, 2};
        float[] one = draw(generator, labels, 1, 1);
        assertArrayEquals(one, draw(generator, labels, 3, 2));
        assertEquals(labels.length * 28 * 28, one.length);
        int size = 28 * 28;
        assertFalse(Arrays.equals(one, size, 2 * size, one, 3 * size, 4 * size), "two images are the same");
        for (float value : one) {
            assertTrue(value >= -1 && value <= 1);
        }
    }

    private static float[] draw(GanImageGenerator generator, int[] labels, int microBatch, int threads) {
        long[] done = new long[1];
        SamplingOptions options = new SamplingOptions(new DpmSolver(), 1, 1, true, microBatch, threads, 8);
        float[] images = generator.draw(labels, options, BACKEND, n -> done[0] = n);
        assertEquals(labels.length, done[0]);
        return images;
    }

    @Test
    void optionsSurviveTheirFile() {
        DpafOptions options = TinyGans.options(3, 1, OptionalLong.of(7));
        assertEquals(options, DpafOptions.fromJson(Json.parseObject(Json.pretty(options.toJson()), "test")));
        GanConfig config = TinyGans.config();
        assertTrue(GanConfig.describes(config.toJson()));
    }

    @Test
    void refusesWhatDoesNotFitBeforeAnythingIsWritten() {
        DpafOptions tooFew = new DpafOptions(
                TinyGans.glyphs(10),
                1,
                OptionalDouble.empty(),
                20,
                1,
                0,
                0,
                0.3,
                0.1,
                1e-2,
                1,
                2,
                1e-3,
                1e-3,
                1,
                0.9,
                4,
                16,
                4,
                4,
                4,
                OptionalLong.empty());
        UserException refused = assertThrows(UserException.class, () -> run("none", tooFew, 1));
        assertTrue(String.valueOf(refused.getMessage()).startsWith("--batch must be at most"), refused.getMessage());
        assertFalse(Files.exists(temp.resolve("none")));
        assertThrows(UserException.class, () -> new GanConfig(30, 1, 2, 4, 16, 4, 4, 4));
        assertThrows(UserException.class, () -> new GanConfig(28, 1, 2, 4, 20, 4, 4, 4));
    }
}
