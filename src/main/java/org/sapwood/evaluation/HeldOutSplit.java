package org.sapwood.evaluation;

import java.util.Arrays;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.PermutationSampler;
import org.sapwood.data.ImageSet;
import org.sapwood.io.UserException;

/**
 * One image set in two random parts.
 *
 * @param training the larger part, at least one image
 * @param heldOut the part to choose by, at least one image
 */
record HeldOutSplit(ImageSet training, ImageSet heldOut) {
    /**
     * Splits at random.
     *
     * @param fraction share of the images to hold out, in (0, 1)
     * @throws UserException if there are fewer than two images
     */
    static HeldOutSplit of(ImageSet images, double fraction, UniformRandomProvider rng) {
        if (images.size() < 2) {
            throw new UserException("a classifier needs at least 2 images to train on and to choose by; give more");
        }
        int[] permutation = PermutationSampler.natural(images.size());
        PermutationSampler.shuffle(rng, permutation);
        int kept = Math.clamp(Math.round(images.size() * fraction), 1, images.size() - 1);
        return new HeldOutSplit(
                images.select(Arrays.copyOfRange(permutation, kept, permutation.length)),
                images.select(Arrays.copyOf(permutation, kept)));
    }
}
