package org.sapwood.evaluation;

import java.util.Arrays;
import org.apache.commons.rng.sampling.PermutationSampler;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.io.UserException;

/**
 * Improved precision and recall (Kynkäänniemi et al. 2019): a set's manifold is the union of balls around its feature
 * vectors, each reaching to its k-th nearest neighbour in the same set.
 *
 * @param precision share of the synthetic vectors on the real manifold, in [0, 1]: are the images plausible?
 * @param recall share of the real vectors on the synthetic manifold, in [0, 1]: is nothing missing?
 * @param imagesPerSide vectors compared on either side; equal, since the measure depends on them
 */
public record PrecisionRecall(double precision, double recall, int imagesPerSide) {
    /** k, as in the paper. */
    public static final int NEIGHBOURS = 3;

    /** More than this many vectors a side are sampled down: the work grows with the square. */
    private static final int MAX_PER_SIDE = 5000;

    private static final long SAMPLING_SEED = 1;

    /**
     * Measures both.
     *
     * @throws UserException if either side has no more than {@link #NEIGHBOURS} images
     */
    static PrecisionRecall measure(Features real, Features synthetic, Workers workers) {
        int count = Math.min(MAX_PER_SIDE, Math.min(real.count(), synthetic.count()));
        if (count <= NEIGHBOURS) {
            throw new UserException(
                    "precision and recall need more than " + NEIGHBOURS + " images on each side, got " + count);
        }
        Features realSample = sample(real, count);
        Features syntheticSample = sample(synthetic, count);
        return new PrecisionRecall(
                coverage(syntheticSample, realSample, workers), coverage(realSample, syntheticSample, workers), count);
    }

    private static Features sample(Features features, int count) {
        int[] rows = PermutationSampler.natural(features.count());
        PermutationSampler.shuffle(RandomSource.XO_SHI_RO_256_PP.create(SAMPLING_SEED), rows);
        return features.select(Arrays.copyOf(rows, count));
    }

    /** Share of {@code points} inside at least one ball of {@code manifold}. */
    private static double coverage(Features points, Features manifold, Workers workers) {
        double[] radii = new double[manifold.count()];
        workers.forEach(radii.length, i -> radii[i] = squaredRadius(manifold, i));
        boolean[] covered = new boolean[points.count()];
        workers.forEach(covered.length, i -> {
            for (int j = 0; j < radii.length && !covered[i]; j++) {
                covered[i] = points.squaredDistance(i, manifold, j) <= radii[j];
            }
        });
        int inside = 0;
        for (boolean c : covered) {
            inside += c ? 1 : 0;
        }
        return (double) inside / covered.length;
    }

    /** Squared distance from row {@code i} to its k-th nearest neighbour among the other rows. */
    private static double squaredRadius(Features features, int i) {
        double[] nearest = new double[NEIGHBOURS];
        Arrays.fill(nearest, Double.POSITIVE_INFINITY);
        for (int j = 0; j < features.count(); j++) {
            double candidate = i == j ? Double.POSITIVE_INFINITY : features.squaredDistance(i, features, j);
            for (int k = 0; k < NEIGHBOURS; k++) {
                if (candidate < nearest[k]) {
                    double displaced = nearest[k];
                    nearest[k] = candidate;
                    candidate = displaced;
                }
            }
        }
        return nearest[NEIGHBOURS - 1];
    }
}
