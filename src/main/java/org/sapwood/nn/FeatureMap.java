package org.sapwood.nn;

import org.sapwood.autograd.Variable;

/**
 * A batch of images or feature maps on a tape: tokens with the height and width that give them neighbours.
 *
 * @param variable [B, height·width, C]
 * @param height in pixels
 * @param width in pixels
 */
public record FeatureMap(Variable variable, int height, int width) {
    public FeatureMap {
        if (variable.dim(1) != height * width) {
            throw new IllegalArgumentException(variable.shape() + " is not an image of " + height + "x" + width);
        }
    }

    /** Number of channels. */
    public int channels() {
        return variable.dim(2);
    }

    /** The same size with other content. */
    FeatureMap with(Variable content) {
        return new FeatureMap(content, height, width);
    }
}
