package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.io.Json;
import org.sapwood.io.RunFolder;
import org.sapwood.synthesis.FineTuning;
import org.sapwood.synthesis.ProgressListener;
import org.sapwood.synthesis.RunRecord;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.cuda.EmulatedFault;

/**
 * Whatever is wrong with driver, device or kernels: one clear line and exit code 1 where the device was asked for by
 * name, its reason and another backend where it was not, and nothing lost of a run that had begun.
 */
class CudaFaultsTest {
    private static final int STEPS = 3;

    /** Enough for a few images at a time of the tiny model, beside the scratch memory of its kernels. */
    private static final long LITTLE_MEMORY = 24L << 20;

    @TempDir
    static Path shared;

    private static TinyModel model;
    private static Path images;

    @TempDir
    Path folder;

    private Path out;

    @BeforeAll
    static void writeGoodInput() throws IOException {
        EmulatedFault.requireEmulator();
        model = TinyModel.write(Files.createDirectory(shared.resolve("model")), 0);
        images = shared.resolve("digits");
        assertEquals(0, Run.of("glyphs --count 20 --out", images).code());
    }

    @BeforeEach
    void chooseFolder() {
        out = folder.resolve("run");
    }

    /** With a fixed factor for the labels: to measure it would draw images before the training, and fail there. */
    private List<Object> train(String options) {
        List<Object> words =
                words("train --method dp-lora --epsilon 8 --delta 1e-3 --size 8 --batch 20 --augmentations 1"
                        + " --label-gradient-scale 64 --threads 2 --steps " + STEPS + " " + options);
        words.addAll(List.of("--public-model", model.weights(), "--data", images, "--out", out));
        return words;
    }

    private List<Object> sample(String backend, Path target) {
        List<Object> words = words("sample --count 1 --sampling-steps 1 --backend " + backend);
        words.addAll(List.of("--model", model.weights(), "--out", target));
        return words;
    }

    private static List<Object> words(String line) {
        return new ArrayList<>(Arrays.asList(line.split(" ")));
    }

    /** Asserts exit code 1 and that standard error ends with its one error, which holds every part; returns that. */
    private static String refused(Run run, String... parts) {
        run.failed(1, parts);
        List<String> lines = run.err().lines().toList();
        List<String> errors =
                lines.stream().filter(line -> line.startsWith("sapwood: ")).toList();
        assertEquals(List.of(lines.getLast()), errors, run.err());
        for (String line : lines.subList(0, lines.size() - 1)) {
            assertTrue(line.startsWith("backend cuda (") || line.startsWith("train: step "), "no note: " + line);
        }
        return lines.getLast();
    }

    private static int stepsSpent(Path run) {
        String ledger = Json.readObject(run.resolve("privacy.json")).toString();
        Matcher spent = Pattern.compile("steps_spent=(\\d+)").matcher(ledger);
        assertTrue(spent.find(), ledger);
        return Integer.parseInt(spent.group(1));
    }

    /** Asserts that a run which has spent so many steps goes on with those that are left. */
    private void goesOn(int spent, String backend) throws IOException {
        assertEquals(spent, stepsSpent(out));
        Path copy = folder.resolve("resumed-on-" + backend);
        copy(out, copy);
        FineTuning.Result result =
                FineTuning.resume(RunFolder.resume(copy), Backends.choose(backend), 2, ProgressListener.SILENT);
        assertTrue(result.epsilon() <= 8, "overspent: " + result.epsilon());
        assertEquals(STEPS, stepsSpent(copy));
        assertTrue(Files.exists(copy.resolve("checkpoint-" + STEPS + ".safetensors")), "no last checkpoint");
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file)));
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "no-device  | sees no device | check nvidia-smi and CUDA_VISIBLE_DEVICES",
                "old-driver | it is for CUDA 11.0 | install 580 or later",
                "no-binary  | do not run on Sapwood emulator (compute capability 9.0, driver for CUDA 13.0):"
                        + " CUDA_ERROR_NO_BINARY_FOR_GPU | update the NVIDIA driver",
                "missing-kernel:elementwise_add | kernel elementwise_add is missing from the module elementwise |"
                        + " build both again",
                "no-driver | -Dsapwood.cuda.driver=/nowhere/libcuda.so.1: there is no such file | leave the property"
                        + " out",
            })
    void whatIsFoundBeforeARunStopsItOrIsToldWithTheFallback(String fault, String cause, String fix)
            throws IOException, InterruptedException {
        List<String> properties =
                fault.equals("no-driver") ? List.of("-Dsapwood.cuda.driver=/nowhere/libcuda.so.1") : List.of();
        Path refusedSample = folder.resolve("refused");
        List<Run> runs = ChildProcess.run(
                folder,
                fault,
                properties,
                List.of(
                        train("--backend cuda"),
                        sample("cuda", refusedSample),
                        sample("auto", folder.resolve("drawn")),
                        words("doctor"),
                        words("doctor --json")));
        String line = refused(runs.get(0), "backend cuda cannot run here: ", cause, fix);
        assertEquals(line, refused(runs.get(1)));
        assertFalse(Files.exists(out) || Files.exists(refusedSample), "a folder was made");

        Run fallback = runs.get(2);
        assertEquals(0, fallback.code(), fallback.err());
        String note = fallback.err().lines().findFirst().orElseThrow();
        assertTrue(note.startsWith("backend scalar (plain Java); not cuda: "), note);
        assertTrue(note.contains(cause) && note.contains(fix), note);

        Run doctor = runs.get(3);
        assertEquals(0, doctor.code(), doctor.err());
        assertTrue(
                doctor.out()
                        .lines()
                        .anyMatch(l -> l.matches("Backend cuda +cannot run: .*" + Pattern.quote(cause) + ".*")),
                doctor.out());
        assertTrue(doctor.out().lines().anyMatch(l -> l.matches("Backend scalar +in use: .*")), doctor.out());

        Map<String, Object> json = runs.get(4).json();
        assertEquals("scalar", json.get("backend"));
        assertEquals(List.of(), json.get("cuda"));
        String text = String.valueOf(json.get("backends"));
        assertTrue(text.startsWith("[{name=cuda, available=false, detail=") && text.contains(cause), text);
    }

    /** Kernels are loaded when they are first needed, which for this one is after the first step has been charged. */
    @Test
    void aKernelThatIsMissedInTheMiddleLosesNoMoreThanTheStepItWasFor() throws IOException, InterruptedException {
        Run run = ChildProcess.run(
                        folder,
                        "missing-kernel:noise_step_adam",
                        List.of(),
                        List.of(train("--backend cuda --micro-batch 20")))
                .getFirst();
        refused(
                run,
                "kernel noise_step_adam is missing from the module noise_step",
                "build both again",
                "the run goes on with: sapwood resume " + out);
        goesOn(1, "scalar");
    }

    @Test
    void aLaunchThatFailsInTheMiddleLosesNoMoreThanItsStep() throws IOException {
        EmulatedFault.during(
                "launch-failure:noise_step_adam@2",
                () -> refused(
                        Run.of(train("--backend cuda --micro-batch 20").toArray()),
                        "cuLaunchKernel failed: CUDA_ERROR_LAUNCH_FAILED (kernel noise_step_adam, grid ",
                        "256 threads",
                        "the run goes on with: sapwood resume " + out));
        goesOn(2, "cuda");
        goesOn(2, "scalar");
    }

    /** The gradients of a step are a recorded sequence, which fails before the step is charged. */
    @Test
    void aRecordedSequenceThatFailsLosesNothing() throws IOException {
        EmulatedFault.during(
                "launch-failure:loss_mean_squared_error@3",
                () -> refused(
                        Run.of(train("--backend cuda --micro-batch 20").toArray()),
                        "cuGraphLaunch failed: CUDA_ERROR_LAUNCH_FAILED (a recorded sequence of ",
                        "the run goes on with: sapwood resume " + out));
        goesOn(2, "cuda");
    }

    @Test
    void fullMemoryTellsAMicroBatchThatFitsAndThatResumeTakes() {
        EmulatedFault.during(EmulatedFault.memory(LITTLE_MEMORY), () -> {
            String line = refused(
                    Run.of(train("--backend cuda --micro-batch 4096").toArray()),
                    "Sapwood emulator has ",
                    "MiB of memory left",
                    "micro-batches of 4096 images take about ",
                    "the run goes on with: sapwood resume " + out);
            Matcher suggestion = Pattern.compile("take --micro-batch (\\d+);").matcher(line);
            assertTrue(suggestion.find(), line);
            RunFolder run = RunFolder.resume(out);
            RunRecord.setMicroBatch(run, Integer.parseInt(suggestion.group(1)));
            FineTuning.resume(run, Backends.choose("cuda"), 2, ProgressListener.SILENT);
            assertEquals(STEPS, stepsSpent(out));
        });
        Run.of("resume --micro-batch -1", out).failed(2, "--micro-batch must be >= 0, got -1");
        EmulatedFault.during(
                "launch-failure:embedding_lookup",
                () -> refused(Run.of("resume --backend cuda --micro-batch 4", out), "kernel embedding_lookup"));
        assertEquals(4, RunRecord.options(RunFolder.open(out), "train").get("microBatch"));
    }

    @Test
    void trainingThatDoesNotFitAtAllSaysSo() {
        EmulatedFault.during(EmulatedFault.memory(20_000), () -> {
            String line = refused(
                    Run.of(train("--backend cuda").toArray()),
                    "Sapwood emulator has 0 MiB of memory left, but 1 MiB more are needed: training ",
                    "train fewer, or take --backend simd");
            assertFalse(line.contains("--micro-batch"), line);
        });
        assertEquals(0, stepsSpent(out));
    }

    @Test
    void samplingThatDoesNotFitNamesItsOwnOption() {
        EmulatedFault.during(EmulatedFault.memory(1 << 20), () -> {
            String line = refused(Run.of(sample("cuda", out).toArray()), "take a smaller --sampling-batch");
            assertFalse(line.contains("sapwood resume"), line);
        });
        assertFalse(Files.exists(out), "a folder was made");
    }

    /** cuBLAS would let the examples of a batch mix, so a private run must not even begin with it. */
    @Test
    void privateTrainingRefusesCublas() throws IOException, InterruptedException {
        Run run = ChildProcess.run(
                        folder, "", List.of("-Dsapwood.cuda.products=cublas"), List.of(train("--backend cuda")))
                .getFirst();
        refused(run, "backend cuda cannot run here", "an emulated device has no cuBLAS");
        assertFalse(Files.exists(out), "a folder was made");
    }

    @Test
    void doctorTellsOfADeviceThatRuns() {
        Run run = Run.of("doctor");
        assertEquals(0, run.code(), run.err());
        for (String line : List.of(
                "Backend cuda +can run: Sapwood emulator, compute capability 9.0, fp32",
                " +Sapwood emulator, compute capability 9.0, 2 multiprocessors, driver for CUDA 13.0",
                " +\\d+ of \\d+ MiB of device memory free",
                " +products own: in use",
                " +products cublas: .+")) {
            assertTrue(run.out().lines().anyMatch(l -> l.matches(line)), line + " in " + run.out());
        }
    }

    /** What an optional backend throws comes through without the names of classes. */
    @Test
    void aPropertyThatIsWrongIsNamed() {
        System.setProperty("sapwood.cuda.precision", "fp8");
        try {
            assertEquals(
                    "sapwood: sapwood.cuda.precision must be one of fp32, tf32, bf16, got 'fp8'",
                    refused(Run.of(sample("cuda", out).toArray())));
        } finally {
            System.clearProperty("sapwood.cuda.precision");
        }
    }

    @Test
    void wrongPrecisionIsWrongUsage() {
        Run.of(train("--backend cuda --precision fp8").toArray())
                .failed(2, "--precision", "expected one of fp32, tf32, bf16, got 'fp8'");
        assertFalse(Files.exists(out), "a folder was made");
    }
}
