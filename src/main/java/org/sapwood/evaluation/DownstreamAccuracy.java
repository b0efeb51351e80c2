package org.sapwood.evaluation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.sapwood.data.ImageSet;
import org.sapwood.nn.ClassifierArchitecture;

/**
 * How well classifiers do on real test images after training on one set only (the protocol of DPImageBench, Gong et al.
 * 2025): trained on synthetic images, chosen on held-out synthetic images, then tested once. Where several architectures
 * are tried, each with the same seeds, their mean stands for the set.
 *
 * @param runs one per architecture and seed, at least one
 */
public record DownstreamAccuracy(List<Run> runs) {
    /**
     * One classifier.
     *
     * @param architecture of its network
     * @param seed of its training
     * @param chosenStep steps taken when it did best on the held-out images
     * @param heldOutAccuracy share of the held-out images it got right, in [0, 1]
     * @param testAccuracy share of the test images it got right, in [0, 1]
     */
    public record Run(
            ClassifierArchitecture architecture,
            long seed,
            int chosenStep,
            double heldOutAccuracy,
            double testAccuracy) {
        Map<String, Object> toJson() {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("architecture", architecture.id());
            json.put("seed", seed);
            json.put("chosen_step", chosenStep);
            json.put("held_out_accuracy", heldOutAccuracy);
            json.put("test_accuracy", testAccuracy);
            return json;
        }
    }

    /** Copies the list. */
    public DownstreamAccuracy {
        runs = List.copyOf(runs);
        if (runs.isEmpty()) {
            throw new IllegalArgumentException("downstream accuracy needs at least one seed");
        }
    }

    /**
     * Trains one classifier per architecture and seed and tests it.
     *
     * @param training the only images that training and choosing see
     * @param test images of the same size
     * @param options which classifiers, and how they are trained
     * @param progress receives a line before each architecture; the lines hold no measurement
     * @throws org.sapwood.io.UserException if the sets do not fit together
     */
    public static DownstreamAccuracy measure(
            ImageSet training, ImageSet test, EvaluationOptions options, Workers workers, Consumer<String> progress) {
        ImageSet aligned = SameClasses.align(training, test);
        List<Run> runs = new ArrayList<>();
        for (ClassifierArchitecture architecture : options.architectures()) {
            progress.accept("training " + options.seeds().size() + " of " + architecture.description());
            for (long seed : options.seeds()) {
                TrainedClassifier trained =
                        ClassifierTraining.train(aligned, architecture, options.training(), seed, workers);
                double accuracy = accuracy(trained, test, workers);
                runs.add(new Run(architecture, seed, trained.chosenStep(), trained.heldOutAccuracy(), accuracy));
            }
        }
        return new DownstreamAccuracy(runs);
    }

    private static double accuracy(TrainedClassifier trained, ImageSet test, Workers workers) {
        try (ClassifierInference inference = new ClassifierInference(workers, trained.classifier())) {
            return inference.run(test).accuracy(test);
        }
    }

    /** The runs of each architecture, in the order in which they were made. */
    public Map<ClassifierArchitecture, DownstreamAccuracy> byArchitecture() {
        Map<ClassifierArchitecture, List<Run>> grouped = runs.stream()
                .collect(Collectors.groupingBy(Run::architecture, LinkedHashMap::new, Collectors.toList()));
        Map<ClassifierArchitecture, DownstreamAccuracy> parts = new LinkedHashMap<>();
        grouped.forEach((architecture, part) -> parts.put(architecture, new DownstreamAccuracy(part)));
        return parts;
    }

    /** Mean test accuracy over architectures and seeds, in [0, 1]. */
    public double mean() {
        return meanOf(runs);
    }

    /**
     * Sample standard deviation over the seeds of the test accuracy, averaged over the architectures first; 0 for a single
     * seed. It tells how far chance moves the mean, not how far the architectures differ.
     */
    public double standardDeviation() {
        Map<Long, List<Run>> bySeed = runs.stream().collect(Collectors.groupingBy(Run::seed));
        double mean = mean();
        double squares = bySeed.values().stream()
                .mapToDouble(seed -> meanOf(seed) - mean)
                .map(d -> d * d)
                .sum();
        return Math.sqrt(squares / Math.max(1, bySeed.size() - 1));
    }

    private static double meanOf(List<Run> runs) {
        return runs.stream().mapToDouble(Run::testAccuracy).average().orElseThrow();
    }

    /** For {@code metrics.json}. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("mean", mean());
        json.put("standard_deviation", standardDeviation());
        Map<String, Object> parts = new LinkedHashMap<>();
        byArchitecture().forEach((architecture, part) -> parts.put(architecture.id(), part.summary(architecture)));
        json.put("architectures", parts);
        json.put("runs", runs.stream().map(Run::toJson).toList());
        return json;
    }

    private Map<String, Object> summary(ClassifierArchitecture architecture) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("network", architecture.description());
        json.put("mean", mean());
        json.put("standard_deviation", standardDeviation());
        return json;
    }
}
