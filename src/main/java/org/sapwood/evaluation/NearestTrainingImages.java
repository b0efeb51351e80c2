package org.sapwood.evaluation;

import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.sapwood.data.ImageSet;

/**
 * A check for memorised images: how near synthetic images come to their nearest training image, beside how near real test
 * images come, which the generator cannot have copied. It reads the private images one by one and is covered by no
 * guarantee whatever.
 *
 * @param pixels in the Euclidean distance of pixels, each in [0, 1]
 * @param features in the Euclidean distance of a feature space, empty without one
 */
public record NearestTrainingImages(Comparison pixels, Optional<Comparison> features) {
    /** The warning that stands in every report of this check. */
    public static final String WARNING =
            "NOT PRIVATE: the check for memorised images compares every synthetic image with"
                    + " every private training image; its numbers and its sheet tell of single private images, so release"
                    + " neither.";

    /** Quantile of the test images' distances below which a synthetic image counts as suspiciously near. */
    private static final double NEAR = 0.01;

    /** The quantiles reported. */
    private static final double[] QUANTILES = {0.01, 0.05, 0.25, 0.5};

    /**
     * A synthetic image and its nearest training image.
     *
     * @param synthetic index in the synthetic set
     * @param training index in the training set
     * @param distance between them
     */
    public record Pair(int synthetic, int training, double distance) {}

    /**
     * The distances to the nearest training image in one space.
     *
     * @param space what the distance is
     * @param synthetic one pair per synthetic image, the nearest first
     * @param test distances of the real test images, ascending
     */
    @SuppressWarnings("ArrayRecordComponent") // shared on purpose, never compared
    public record Comparison(String space, List<Pair> synthetic, double[] test) {
        /** Orders the pairs. */
        public Comparison {
            synthetic = synthetic.stream()
                    .sorted(Comparator.comparingDouble(Pair::distance).thenComparingInt(Pair::synthetic))
                    .toList();
        }

        private double[] syntheticDistances() {
            return synthetic.stream().mapToDouble(Pair::distance).toArray();
        }

        /** Distance of the test images below which a synthetic image counts as near: their 1 % quantile. */
        public double nearDistance() {
            return quantile(test, NEAR);
        }

        /** Share of the synthetic images nearer than {@link #nearDistance}; about 0.01 for images as new as test images. */
        public double shareNear() {
            double limit = nearDistance();
            return (double) synthetic.stream().filter(p -> p.distance() < limit).count() / synthetic.size();
        }

        /** Share of the synthetic images that equal a training image. */
        public double shareIdentical() {
            return (double) synthetic.stream().filter(p -> p.distance() == 0).count() / synthetic.size();
        }

        /**
         * Chance that a synthetic image is nearer to the training images than a test image is, equal distances counting
         * half (the statistic of Meehan, Chaudhuri and Dasgupta 2020 over the whole space); 0.5 if they come as near as test
         * images do, towards 1 if the set copies.
         */
        public double chanceNearer() {
            double wins = 0;
            int below = 0;
            int upTo = 0;
            for (double distance : syntheticDistances()) {
                while (below < test.length && test[below] < distance) {
                    below++;
                }
                upTo = Math.max(upTo, below);
                while (upTo < test.length && test[upTo] == distance) {
                    upTo++;
                }
                wins += (test.length - upTo) + (upTo - below) / 2.0;
            }
            return wins / ((double) test.length * synthetic.size());
        }

        Map<String, Object> toJson() {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("space", space);
            json.put("synthetic_quantiles", quantiles(syntheticDistances()));
            json.put("real_test_quantiles", quantiles(test));
            json.put("share_below_test_1_percent", shareNear());
            json.put("share_identical", shareIdentical());
            json.put("chance_nearer_than_test", chanceNearer());
            return json;
        }

        private static Map<String, Object> quantiles(double[] sorted) {
            Map<String, Object> json = new LinkedHashMap<>();
            for (double q : QUANTILES) {
                json.put(Math.round(100 * q) + " %", quantile(sorted, q));
            }
            return json;
        }

        /** The smallest value that at least a share {@code q} of the values do not exceed. */
        private static double quantile(double[] sorted, double q) {
            return sorted[Math.max(0, (int) Math.ceil(q * sorted.length) - 1)];
        }
    }

    /**
     * Measures all.
     *
     * @param space to compare in besides pixels
     * @throws org.sapwood.io.UserException if the sets do not fit together or one is empty
     */
    public static NearestTrainingImages measure(
            ImageSet synthetic,
            ImageSet training,
            ImageSet test,
            Optional<? extends FeatureSpace> space,
            Workers workers) {
        SameClasses.requireSameSize(synthetic, training);
        SameClasses.requireSameSize(training, test);
        PixelDistances all = new PixelDistances(training);
        Comparison pixels = compare(
                "pixels in [0, 1]",
                synthetic.size(),
                test.size(),
                i -> all.nearest(synthetic.bytes(i), i),
                i -> all.nearest(test.bytes(i), i),
                workers);
        return new NearestTrainingImages(pixels, space.map(s -> {
            Features reference = s.features(training, workers);
            Features judged = s.features(synthetic, workers);
            Features unseen = s.features(test, workers);
            return compare(
                    s.description(),
                    judged.count(),
                    unseen.count(),
                    i -> nearest(judged, i, reference),
                    i -> nearest(unseen, i, reference),
                    workers);
        }));
    }

    /** Finds the training image nearest to image i of a set. */
    private interface Search {
        Pair nearest(int i);
    }

    private static Comparison compare(
            String space, int synthetic, int test, Search ofSynthetic, Search ofTest, Workers workers) {
        Pair[] pairs = new Pair[synthetic];
        workers.forEach(synthetic, i -> pairs[i] = ofSynthetic.nearest(i));
        double[] distances = new double[test];
        workers.forEach(test, i -> distances[i] = ofTest.nearest(i).distance());
        Arrays.sort(distances);
        return new Comparison(space, List.of(pairs), distances);
    }

    private static Pair nearest(Features features, int i, Features reference) {
        int best = 0;
        double least = Double.POSITIVE_INFINITY;
        for (int j = 0; j < reference.count(); j++) {
            double distance = features.squaredDistance(i, reference, j);
            if (distance < least) {
                least = distance;
                best = j;
            }
        }
        return new Pair(i, best, Math.sqrt(least));
    }

    /** For {@code --json}: never part of the report of a run. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("warning", WARNING);
        json.put("pixels", pixels.toJson());
        features.ifPresent(f -> json.put("features", f.toJson()));
        return json;
    }
}
