package org.sapwood.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.sapwood.io.Json;
import org.sapwood.io.PngImages;
import org.sapwood.io.RunFolder;

/** Run folders with everything that a page can show, made without training anything. */
final class ExampleRun {
    /** A name that would be a problem in any page that does not escape it. */
    static final String HOSTILE = "<script>window.taken=1;'\"&amp;<\\b>";

    /**
     * ε of the Gaussian mechanism with μ² = 2/1² + 1/4² at δ = 1e-5, from the equation of Balle and Wang (arXiv
     * 1805.06530, theorem 8) solved by bisection.
     */
    static final double EPSILON = 6.694498862;

    /** The same for μ² = 2, the training alone. */
    static final double EPSILON_OF_TRAINING = 6.572970067;

    final Path path;

    /** The content of {@code run.json}, to be changed before {@link #write}. */
    final Map<String, Object> run = new LinkedHashMap<>();

    final Map<String, Object> options = new LinkedHashMap<>();
    final Map<String, Object> privacy = new LinkedHashMap<>();
    final Map<String, Object> metrics = new LinkedHashMap<>();
    final Map<String, Object> selection = new LinkedHashMap<>();

    ExampleRun(Path path) {
        this.path = path;
    }

    /** A finished private run of DP-SAPF with an evaluation. */
    static ExampleRun finished(Path path) {
        ExampleRun example = new ExampleRun(path);
        example.options.put("method", "DP_SAPF");
        example.options.put("publicModel", "/models/public one/checkpoint-20000.safetensors");
        example.options.put(
                "data", Map.of("locations", List.of("/data/mnist"), "subset", "0:8000", "channels", "AS_STORED"));
        example.options.put("epsilon", 10.0);
        example.options.put("delta", "auto");
        example.options.put("batch", 512);
        example.options.put("steps", 2);
        example.options.put("loraRank", 4);
        example.options.put("seed", "auto");
        example.run.put("command", "train");
        example.run.put("options", example.options);
        example.run.put("private", true);
        example.run.put("backend", "simd (512-bit vectors, 16 float lanes)");
        example.run.put("host", Map.of("sapwood", "0.1", "cpu", "Some Processor", "cores", 2));
        // q = 1 everywhere: the Gaussian mechanism, where ε has a closed form and takes no time.
        example.privacy.put("format", 1);
        example.privacy.put("adjacency", "ADD_REMOVE");
        example.privacy.put("randomness", "secure");
        example.privacy.put("delta", 1e-5);
        example.privacy.put("epsilon", Map.of("pld", EPSILON, "rdp", 6.9));
        example.privacy.put("epsilon_spent", Map.of("pld", EPSILON, "rdp", 6.9));
        example.privacy.put("events", List.of(event("selection", 4, 0.01, 1), event("training", 1, 0.1, 2)));
        example.metrics.put(
                "training",
                Map.of("method", "dp-sapf", "trained_weights", 56384, "seconds", 1000.5, "peak_rss_mib", 1165));
        Map<String, Object> evaluation = new LinkedHashMap<>();
        evaluation.put("notice", "not covered by the privacy guarantee");
        evaluation.put("synthetic_images", 500);
        evaluation.put("downstream_accuracy", accuracy(0.912));
        evaluation.put("non_private_reference_accuracy", accuracy(0.989));
        evaluation.put(
                "fidelity",
                Map.of(
                        "feature_space",
                        "64 features of a classifier",
                        "frechet_distance",
                        12.5,
                        "real_test_frechet_distance",
                        1.25,
                        "a_measure_of_tomorrow",
                        0.5));
        example.metrics.put("evaluation", evaluation);
        example.select(names(2), 16);
        return example;
    }

    static Map<String, Object> event(String name, double sigma, double sensitivity, int steps) {
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("name", name);
        event.put("q", 1.0);
        event.put("sigma", sigma);
        event.put("sensitivity", sensitivity);
        event.put("steps", steps);
        event.put("steps_spent", steps);
        event.put("steps_recorded", steps);
        return event;
    }

    private static Map<String, Object> accuracy(double mean) {
        Map<String, Object> parts = new LinkedHashMap<>();
        parts.put("cnn", Map.of("network", "three layers", "mean", mean - 0.01, "standard_deviation", 0.0));
        parts.put("resnet", Map.of("network", "eight layers", "mean", mean + 0.01, "standard_deviation", 0.0));
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("mean", mean);
        json.put("standard_deviation", 0.004);
        json.put("architectures", parts);
        json.put("runs", List.of(Map.of("seed", 1, "test_accuracy", mean), Map.of("seed", 2, "test_accuracy", mean)));
        return json;
    }

    /** Matrices as a UNet with transformer blocks names them, 22 a level. */
    static List<String> names(int levels) {
        List<String> names =
                new ArrayList<>(List.of("time_embedding.linear_1.weight", "time_embedding.linear_2.weight"));
        for (int level = 0; level < levels; level++) {
            String block = "down_blocks." + level;
            for (String matrix : List.of("time_emb_proj", "conv1", "conv2", "conv_shortcut")) {
                names.add(block + ".resnets.0." + matrix + ".weight");
            }
            for (String attention : List.of("attn1", "attn2")) {
                for (String matrix : List.of("to_q", "to_k", "to_v", "to_out.0")) {
                    names.add(block + ".attentions.0.transformer_blocks.0." + attention + "." + matrix + ".weight");
                }
            }
            names.add(block + ".attentions.0.transformer_blocks.0.ff.net.0.proj.weight");
            names.add(block + ".attentions.0.transformer_blocks.0.ff.net.2.weight");
            names.add(block + ".attentions.0.proj_in.weight");
            names.add(block + ".downsamplers.0.conv.weight");
        }
        return names;
    }

    /** Sets candidates with noisy scores, of which every third is selected. */
    void select(List<String> candidates, long seed) {
        Random random = new Random(seed);
        List<Double> scores = new ArrayList<>();
        List<String> selected = new ArrayList<>();
        for (int i = 0; i < candidates.size(); i++) {
            scores.add(random.nextGaussian() * 0.01 + (i % 3 == 0 ? 0.1 * (i % 9) : 0));
            if (i % 3 == 0) {
                selected.add(candidates.get(i));
            }
        }
        selection.put("rule", "ENERGY");
        selection.put("candidates", candidates);
        selection.put("noisy_scores", scores);
        selection.put("selected", selected);
    }

    /** Writes images of noise into class folders. */
    void images(List<String> classes, int perClass, int edge, int channels) throws IOException {
        Random random = new Random(7);
        for (String name : classes) {
            Path folder = Files.createDirectories(path.resolve("samples/images").resolve(name));
            for (int i = 0; i < perClass; i++) {
                byte[] pixels = new byte[edge * edge * channels];
                random.nextBytes(pixels);
                PngImages.write(folder.resolve(String.format("%06d.png", i)), pixels, edge, edge, channels);
            }
        }
    }

    /** Writes the files that are not empty and the page, and returns its text. */
    String write() throws IOException {
        Files.createDirectories(path.resolve("samples"));
        Files.writeString(path.resolve("run.json"), Json.pretty(run));
        writeUnlessEmpty("privacy.json", privacy);
        writeUnlessEmpty("metrics.json", metrics);
        writeUnlessEmpty("selection.json", selection);
        return Files.readString(ReportPage.write(RunFolder.open(path)));
    }

    private void writeUnlessEmpty(String name, Map<String, Object> json) throws IOException {
        if (json.isEmpty()) {
            Files.deleteIfExists(path.resolve(name));
        } else {
            Files.writeString(path.resolve(name), Json.pretty(json));
        }
    }
}
