package org.sapwood.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunFolderTest {
    @TempDir
    private Path parent;

    @Test
    void aRunIsNeverOverwritten() throws IOException {
        Path path = parent.resolve("a/b");
        RunFolder run = RunFolder.create(path);
        assertTrue(Files.isDirectory(run.samples()));
        UserException refusal = assertThrows(UserException.class, () -> RunFolder.create(path));
        assertTrue(refusal.getMessage().contains("sapwood resume " + path), refusal.getMessage());
        Path file = Files.writeString(parent.resolve("file"), "x");
        assertThrows(UserException.class, () -> RunFolder.create(file));
        assertThrows(UserException.class, () -> RunFolder.create(file.resolve("below")));
        RunFolder.create(Files.createDirectory(parent.resolve("empty")));
    }

    @Test
    void onlyTheFolderOfARunIsOpened() {
        RunFolder run = RunFolder.create(parent.resolve("run"));
        assertThrows(UserException.class, () -> RunFolder.open(run.path()));
        run.writeJson(run.runJson(), Map.of("method", "dp-sapf"));
        assertEquals(
                "dp-sapf", Json.readObject(RunFolder.open(run.path()).runJson()).get("method"));
    }

    @Test
    void theNewestCheckpointHasTheMostSteps() throws IOException {
        RunFolder run = RunFolder.create(parent.resolve("run"));
        assertTrue(run.newestCheckpoint().isEmpty());
        for (long step : new long[] {900, 1000, 20}) {
            Files.createFile(run.checkpoint(step));
        }
        Files.createFile(run.optimizer(3000));
        Files.createFile(run.path().resolve("checkpoint-last.safetensors"));
        assertEquals(
                java.util.List.of(20L, 900L, 1000L),
                run.checkpoints().stream().map(RunFolder.Checkpoint::step).toList());
        assertEquals(run.checkpoint(1000), run.newestCheckpoint().orElseThrow().path());
    }

    @Test
    void resumeRemovesWhatAKillLeftAndNothingElse() throws IOException {
        RunFolder run = RunFolder.create(parent.resolve("run"));
        run.writeJson(run.runJson(), Map.of());
        run.appendMetrics(Map.of("step", 1));
        Files.writeString(run.metricsLines(), "{\"step\":", StandardOpenOption.APPEND);
        Path leftover = Files.createFile(run.path().resolve(".privacy.json.123-4.tmp"));
        Path mine = Files.createFile(run.path().resolve("notes.tmp"));

        RunFolder resumed = RunFolder.resume(run.path());
        resumed.appendMetrics(Map.of("step", 2));
        assertEquals("{\"step\":1}\n{\"step\":2}\n", Files.readString(run.metricsLines()));
        assertFalse(Files.exists(leftover));
        assertTrue(Files.exists(mine));
    }

    @Test
    void aLineThatIsTheFirstAndHalfIsDroppedToo() throws IOException {
        RunFolder run = RunFolder.create(parent.resolve("run"));
        run.writeJson(run.runJson(), Map.of());
        Files.writeString(run.metricsLines(), "{\"ste");
        RunFolder.resume(run.path());
        assertEquals(0, Files.size(run.metricsLines()));
    }
}
