package org.sapwood.evaluation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sapwood.data.ImageSet;

/**
 * How well classifiers do on real test images after training on one set only (the protocol of DPImageBench, Gong et al.
 * 2025): trained on synthetic images, chosen on held-out synthetic images, then tested once.
 *
 * @param runs one per seed, at least one
 */
public record DownstreamAccuracy(List<Run> runs) {
    /**
     * One classifier.
     *
     * @param seed of its training
     * @param chosenStep steps taken when it did best on the held-out images
     * @param heldOutAccuracy share of the held-out images it got right, in [0, 1]
     * @param testAccuracy share of the test images it got right, in [0, 1]
     */
    public record Run(long seed, int chosenStep, double heldOutAccuracy, double testAccuracy) {
        Map<String, Object> toJson() {
            Map<String, Object> json = new LinkedHashMap<>();
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
     * Trains one classifier per seed and tests it.
     *
     * @param training the only images that training and choosing see
     * @param test images of the same size
     * @throws org.sapwood.io.UserException if the sets do not fit together
     */
    public static DownstreamAccuracy measure(
            ImageSet training, ImageSet test, ClassifierTrainingOptions options, List<Long> seeds, Workers workers) {
        ImageSet aligned = SameClasses.align(training, test);
        List<Run> runs = new ArrayList<>();
        for (long seed : seeds) {
            TrainedClassifier trained = ClassifierTraining.train(aligned, options, seed, workers);
            runs.add(new Run(seed, trained.chosenStep(), trained.heldOutAccuracy(), accuracy(trained, test, workers)));
        }
        return new DownstreamAccuracy(runs);
    }

    private static double accuracy(TrainedClassifier trained, ImageSet test, Workers workers) {
        try (ClassifierInference inference = new ClassifierInference(workers, trained.classifier())) {
            return inference.run(test).accuracy(test);
        }
    }

    /** Mean test accuracy over the seeds, in [0, 1]. */
    public double mean() {
        return runs.stream().mapToDouble(Run::testAccuracy).average().orElseThrow();
    }

    /** Sample standard deviation of the test accuracy over the seeds; 0 for a single one. */
    public double standardDeviation() {
        double mean = mean();
        double squares = runs.stream()
                .mapToDouble(r -> r.testAccuracy() - mean)
                .map(d -> d * d)
                .sum();
        return Math.sqrt(squares / Math.max(1, runs.size() - 1));
    }

    /** For {@code metrics.json}. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("mean", mean());
        json.put("standard_deviation", standardDeviation());
        json.put("runs", runs.stream().map(Run::toJson).toList());
        return json;
    }
}
