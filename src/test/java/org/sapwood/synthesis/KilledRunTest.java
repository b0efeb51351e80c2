package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.io.Json;
import org.sapwood.io.RunFolder;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Backends;

/** A run in a process of its own, killed with SIGKILL in the middle, goes on within its budget. */
class KilledRunTest {
    private static final int STEPS = 40;

    @TempDir
    private Path temp;

    /** The process that is killed. */
    static final class Victim {
        private Victim() {}

        /** Arguments: public model, run folder. */
        public static void main(String[] args) {
            BackendChoice backend = Backends.choose();
            FineTuning.start(options(Path.of(args[0])), Path.of(args[1]), backend, 1, ProgressListener.SILENT);
        }
    }

    private static TrainOptions options(Path publicModel) {
        return TinyModels.options(Method.DP_SAPF, SelectionRule.RANDOM, publicModel, STEPS, 4, OptionalLong.empty());
    }

    @Test
    void resumesWithEveryRecordedStepSpent() throws IOException, InterruptedException {
        Path model = TinyModels.publicModel(temp.resolve("public"));
        Path out = temp.resolve("run");
        Process victim = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Victim.class.getName(),
                        model.toString(),
                        out.toString())
                .redirectErrorStream(true)
                .redirectOutput(new File(temp.toFile(), "victim.log"))
                .start();
        Path journal = out.resolve(Ledger.JOURNAL);
        while (victim.isAlive() && lines(journal) < 3) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        victim.destroyForcibly().waitFor();
        int recorded = lines(journal);
        assertTrue(recorded >= 3, () -> "the run ended before it could be killed: " + log());

        RunFolder folder = RunFolder.resume(out);
        FineTuning.Result result = FineTuning.resume(folder, Backends.choose(), 1, ProgressListener.SILENT);
        assertTrue(result.epsilon() <= TinyModels.EPSILON, "overspent: " + result.epsilon());
        List<?> events = JsonFields.list(Json.readObject(folder.privacyJson()), "events");
        assertEquals(STEPS, ((Map<?, ?>) events.getFirst()).get("steps_spent"));
        assertEquals(STEPS, folder.newestCheckpoint().orElseThrow().step());
        long reports = Files.readAllLines(folder.metricsLines()).stream()
                .mapToLong(line -> JsonFields.integer(Json.parseObject(line, "metrics.jsonl"), "step"))
                .filter(step -> step > recorded)
                .count();
        assertTrue(reports <= STEPS - recorded, "trained more steps than the ledger had left");
    }

    private static int lines(Path file) throws IOException {
        return Files.exists(file) ? Files.readAllLines(file).size() : 0;
    }

    private String log() {
        try {
            return Files.readString(temp.resolve("victim.log"));
        } catch (IOException e) {
            return e.toString();
        }
    }
}
