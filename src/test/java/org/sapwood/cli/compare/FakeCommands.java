package org.sapwood.cli.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.sapwood.io.Json;

/**
 * Commands that only leave in a run folder what the real ones do, and that can be killed in between. Epsilon of a run
 * is its {@code --epsilon}; a run without it is not private.
 */
final class FakeCommands implements Launcher, CommandLines {
    static final int KILLED = 137;

    /** The command lines that were run, in order. */
    final List<String> ran = new ArrayList<>();

    /** Ends the next command that begins with this half-way; empty for none. */
    String killNext = "";

    /** Exit code of the command that is killed. */
    int killedCode = KILLED;

    /** Accuracy that the next evaluation measures, in [0, 1]. */
    double accuracy = 0.5;

    /** Fréchet distance that it measures. */
    double frechet = 189.2;

    @Override
    public void check(String cell, List<String> words) {
        if (words.contains("--wrong")) {
            throw new IllegalArgumentException(cell + ": " + words.getFirst() + ": unknown option --wrong");
        }
    }

    @Override
    public boolean knows(Stage command, String option) {
        return !option.equals("--no-invert") && !option.contains("wrong");
    }

    @Override
    public Task start(List<String> words, Path log) throws IOException {
        ran.add(String.join(" ", words));
        boolean killed = !killNext.isEmpty() && words.getFirst().equals(killNext);
        int code = 0;
        if (killed) {
            killNext = "";
            code = killedCode;
        }
        Path run = Path.of(words.getFirst().equals("resume") ? words.get(1) : words.get(2));
        switch (words.getFirst()) {
            case "train", "resume" -> train(run, words, killed);
            case "sample" -> sample(run, killed);
            default -> evaluate(run, log, killed);
        }
        int exitCode = code;
        return new Task() {
            @Override
            public Optional<ProcessHandle> process() {
                return Optional.empty();
            }

            @Override
            public int await() {
                return exitCode;
            }
        };
    }

    private static void train(Path run, List<String> words, boolean killed) throws IOException {
        Files.createDirectories(run.resolve("samples"));
        if (words.getFirst().equals("train")) {
            if (Files.exists(run.resolve("run.json"))) {
                throw new IOException(run + " is not empty");
            }
            int epsilon = words.indexOf("--epsilon");
            String method = words.get(words.indexOf("--method") + 1);
            write(run.resolve("run.json"), Map.of("command", "train", "options", Map.of("method", method, "steps", 7)));
            write(
                    run.resolve("privacy.json"),
                    epsilon < 0 ? openLedger() : ledger(Double.parseDouble(words.get(epsilon + 1)), "secure"));
        }
        if (!killed) {
            write(
                    run.resolve("metrics.json"),
                    Map.of("training", Map.of("seconds", 90.0, "peak_rss_mib", 300, "trained_weights", 12345)));
        }
    }

    static Map<String, Object> openLedger() {
        return Map.of("epsilon", Map.of("pld", Double.POSITIVE_INFINITY), "events", List.of());
    }

    static Map<String, Object> ledger(double epsilon, String randomness) {
        return Map.of(
                "randomness",
                randomness,
                "delta",
                1.386e-5,
                "epsilon",
                Map.of("pld", epsilon),
                "epsilon_spent",
                Map.of("pld", epsilon - 0.004),
                "events",
                List.of(
                        Map.of("name", "selection", "sigma", 0.4719, "steps", 1),
                        Map.of("name", "training", "sigma", 0.67891, "steps", 80)));
    }

    private static void sample(Path run, boolean killed) throws IOException {
        Path images = run.resolve("samples/images/0");
        if (Files.exists(images)) {
            throw new IOException(images + " is not empty");
        }
        Files.createDirectories(images);
        Files.writeString(images.resolve("000000.png"), "");
        if (!killed) {
            Files.writeString(images.resolve("000001.png"), "");
        }
    }

    private void evaluate(Path run, Path log, boolean killed) throws IOException {
        if (killed) {
            Files.writeString(log, "sapwood: no such test set\n", StandardOpenOption.APPEND);
            return;
        }
        Map<String, Object> metrics = Json.readObject(run.resolve("metrics.json"));
        metrics.put(
                "evaluation",
                Map.of(
                        "downstream_accuracy",
                        Map.of(
                                "mean",
                                accuracy,
                                "standard_deviation",
                                0.026,
                                "architectures",
                                Map.of("cnn", Map.of("mean", accuracy))),
                        "fidelity",
                        Map.of("frechet_distance", frechet, "precision", 0.18, "recall", 0.77)));
        write(run.resolve("metrics.json"), metrics);
    }

    private static void write(Path file, Object json) throws IOException {
        Files.writeString(file, Json.pretty(json));
    }
}
