package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.io.Json;
import org.sapwood.io.RunFolder;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.UserException;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Backends;

/** Whole runs of a tiny model: what trains, what is recorded, what a resumed run may still do. */
class FineTuningTest {
    private static final BackendChoice BACKEND = Backends.choose();

    @TempDir
    private Path temp;

    private Path publicModel = Path.of("");

    @BeforeEach
    void writePublicModel() {
        publicModel = TinyModels.publicModel(temp.resolve("public"));
    }

    private RunFolder run(String name, TrainOptions options, int threads) {
        return FineTuning.start(options, temp.resolve(name), BACKEND, threads, ProgressListener.SILENT)
                .folder();
    }

    private static SafetensorsFile checkpoint(RunFolder folder) {
        return Safetensors.read(folder.newestCheckpoint().orElseThrow().path());
    }

    @Test
    void exactlyTheSelectedMatricesAndTheLabelsTrain() {
        RunFolder folder = run("sapf", TinyModels.options(publicModel, OptionalLong.empty()), 1);
        SafetensorsFile trained = checkpoint(folder);
        List<?> selected = JsonFields.list(Json.readObject(folder.path().resolve("selection.json")), "selected");
        assertEquals(4, selected.size(), "half of 8 attention matrices");
        for (Object matrix : selected) {
            String base = matrix.toString().replaceAll("\\.weight$", "");
            float[] b = trained.require(base + ".lora_B.weight").toFloats();
            assertTrue(anyNonZero(b), base + " was selected and must really train");
        }
        SafetensorsFile before = Safetensors.read(publicModel);
        for (String name : before.tensors().keySet()) {
            if (!name.equals("class_embedding.weight")) {
                assertArrayEquals(
                        before.require(name).toFloats(), trained.require(name).toFloats(), name + " must stay frozen");
            }
        }
    }

    private static boolean anyNonZero(float[] values) {
        for (float v : values) {
            if (v != 0) {
                return true;
            }
        }
        return false;
    }

    @Test
    void dpDiffusionTrainsEveryWeight() {
        TrainOptions options =
                TinyModels.options(Method.DP_DIFFUSION, SelectionRule.ALL, publicModel, 3, 4, OptionalLong.empty());
        RunFolder folder = run("full", TinyModels.with(options, "timestepsPerImage", 3), 2);
        SafetensorsFile trained = checkpoint(folder);
        SafetensorsFile before = Safetensors.read(publicModel);
        assertEquals(before.tensors().keySet(), trained.tensors().keySet(), "no adapters");
        for (String name : before.tensors().keySet()) {
            assertFalse(
                    Arrays.equals(
                            before.require(name).toFloats(),
                            trained.require(name).toFloats()),
                    name + " must train");
        }
        Map<String, Object> ledger = Json.readObject(folder.privacyJson());
        assertEquals(1, JsonFields.list(ledger, "events").size(), "training alone, no selection");
    }

    @Test
    void trainingFromScratchResumesWhatItHadLearnt() {
        TrainOptions fromPublic =
                TinyModels.options(Method.DP_DIFFUSION, SelectionRule.ALL, publicModel, 4, 4, OptionalLong.empty());
        Map<String, Object> json = new LinkedHashMap<>(fromPublic.toJson());
        json.put("publicModel", TrainOptions.NO_PUBLIC_MODEL);
        json.put("config", publicModel.resolveSibling("config.json").toString());
        TrainOptions options = TrainOptions.fromJson(json);
        RunFolder folder = run("scratch", options, 1);
        SafetensorsFile trained = checkpoint(folder);
        FineTuning.resume(folder, BACKEND, 1, ProgressListener.SILENT);
        SafetensorsFile again = checkpoint(folder);
        assertEquals(11 * 32, trained.require("class_embedding.weight").toFloats().length, "ten digits and no class");
        for (String name : trained.tensors().keySet()) {
            assertArrayEquals(
                    trained.require(name).toFloats(), again.require(name).toFloats(), name);
        }
    }

    @Test
    void adaptersOfRandomWeightsAreRefused() {
        Map<String, Object> json = new LinkedHashMap<>(
                TinyModels.options(publicModel, OptionalLong.empty()).toJson());
        json.put("publicModel", TrainOptions.NO_PUBLIC_MODEL);
        json.put("config", "unet28");
        UserException e = assertThrows(UserException.class, () -> TrainOptions.fromJson(json));
        assertTrue(e.getMessage().contains("dp-sapf"), e.getMessage());
    }

    @Test
    void theLedgerMeetsTheTargetAndSaysItIsPrivate() {
        RunFolder folder = run("private", TinyModels.options(publicModel, OptionalLong.empty()), 1);
        Map<String, Object> ledger = Json.readObject(folder.privacyJson());
        double epsilon = Json.number(JsonFields.map(ledger, "epsilon_spent").get("pld"), "epsilon");
        assertTrue(
                epsilon <= TinyModels.EPSILON && epsilon > 0.9875 * TinyModels.EPSILON,
                "calibration must meet and use the budget, got " + epsilon);
        assertEquals("secure", ledger.get("randomness"));
        assertEquals(2, JsonFields.list(ledger, "events").size(), "selection and training");
    }

    @Test
    void aSeededRunHasTheSameBitsForAnyThreadsAndIsMarked() {
        RunFolder one = run("one", TinyModels.options(publicModel, OptionalLong.of(7)), 1);
        TrainOptions otherMicroBatch =
                TinyModels.options(Method.DP_SAPF, SelectionRule.ENERGY, publicModel, 4, 2, OptionalLong.of(7));
        RunFolder two = run("two", otherMicroBatch, 2);
        SafetensorsFile a = checkpoint(one);
        SafetensorsFile b = checkpoint(two);
        for (String name : a.tensors().keySet()) {
            assertArrayEquals(a.require(name).toFloats(), b.require(name).toFloats(), name);
        }
        assertEquals("seeded, not private", Json.readObject(one.privacyJson()).get("randomness"));
        assertEquals(false, Json.readObject(one.runJson()).get("private"));
    }

    @Test
    void twoPrivateRunsShareNothing() {
        SafetensorsFile a = checkpoint(run("a", TinyModels.options(publicModel, OptionalLong.empty()), 1));
        SafetensorsFile b = checkpoint(run("b", TinyModels.options(publicModel, OptionalLong.empty()), 1));
        assertFalse(Arrays.equals(
                a.require("class_embedding.weight").toFloats(),
                b.require("class_embedding.weight").toFloats()));
    }

    @Test
    void anInterruptedRunResumesWithinItsBudget() {
        TrainOptions options = TinyModels.options(publicModel, OptionalLong.empty());
        ProgressListener killer = (done, total, epsilon, rate) -> {
            if (done == 2) {
                throw new IllegalStateException("killed");
            }
        };
        Path path = temp.resolve("killed");
        assertThrows(IllegalStateException.class, () -> FineTuning.start(options, path, BACKEND, 1, killer));
        FineTuning.Result result = FineTuning.resume(RunFolder.resume(path), BACKEND, 1, ProgressListener.SILENT);
        assertTrue(result.epsilon() <= TinyModels.EPSILON, "resuming must not overspend, got " + result.epsilon());
        assertEquals(4, result.folder().newestCheckpoint().orElseThrow().step());
        List<?> events = JsonFields.list(Json.readObject(result.folder().privacyJson()), "events");
        Map<?, ?> training = (Map<?, ?>) events.getLast();
        assertEquals(4, training.get("steps_spent"));
    }

    @Test
    void aRunThatIsDoneCannotSpendMore() {
        RunFolder folder = run("done", TinyModels.options(publicModel, OptionalLong.empty()), 1);
        float[] before = checkpoint(folder).require("class_embedding.weight").toFloats();
        FineTuning.Result again = FineTuning.resume(folder, BACKEND, 1, ProgressListener.SILENT);
        assertTrue(again.epsilon() <= TinyModels.EPSILON);
        assertArrayEquals(
                before, checkpoint(folder).require("class_embedding.weight").toFloats());
    }

    @Test
    void resumingOnOtherDataIsRefused() throws IOException {
        RunFolder folder = run("moved", TinyModels.options(publicModel, OptionalLong.empty()), 1);
        String run = Files.readString(folder.runJson());
        Files.writeString(folder.runJson(), run.replace("glyphs:sensitive:40:5", "glyphs:sensitive:80:5"));
        UserException e =
                assertThrows(UserException.class, () -> FineTuning.resume(folder, BACKEND, 1, ProgressListener.SILENT));
        assertTrue(e.getMessage().contains("has the data changed"), e.getMessage());
    }

    @Test
    void refusedInputLeavesNoFolder() {
        TrainOptions noModel = TinyModels.options(
                Method.DP_LORA, SelectionRule.ALL, temp.resolve("nowhere.safetensors"), 4, 4, OptionalLong.empty());
        assertThrows(
                UserException.class,
                () -> FineTuning.start(noModel, temp.resolve("none"), BACKEND, 1, ProgressListener.SILENT));
        assertFalse(Files.exists(temp.resolve("none")));
    }

    @Test
    void nonPrivateRunsSayThatThereIsNoGuarantee() {
        TrainOptions options =
                TinyModels.options(Method.NON_PRIVATE, SelectionRule.ALL, publicModel, 2, 4, OptionalLong.empty());
        RunFolder folder = run("open", options, 2);
        Map<String, Object> ledger = Json.readObject(folder.privacyJson());
        assertTrue(String.valueOf(ledger.get("guarantee")).startsWith("none"));
        assertEquals("Infinity", JsonFields.map(ledger, "epsilon").get("pld"));
        assertEquals(false, Json.readObject(folder.runJson()).get("private"));
    }

    @Test
    void nothingOfTheTrainingDataIsWrittenButReleasedNumbers() throws IOException {
        RunFolder folder = run("quiet", TinyModels.options(publicModel, OptionalLong.empty()), 1);
        for (String line : Files.readAllLines(folder.metricsLines())) {
            assertEquals(
                    Set.of("step", "epsilon_spent", "update_norm"),
                    Json.parseObject(line, "metrics.jsonl").keySet(),
                    "a new field must be shown to be public or noised before it is listed here");
        }
    }
}
