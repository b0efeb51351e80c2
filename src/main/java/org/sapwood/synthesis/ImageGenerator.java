package org.sapwood.synthesis;

import java.util.function.LongConsumer;
import org.sapwood.diffusion.SamplingOptions;
import org.sapwood.tensor.BackendChoice;

/** A trained model that draws images of classes: a diffusion model of pixels or of latents, or the generator of a GAN. */
public interface ImageGenerator {
    /** Classes that can be asked for, numbered from 0; 1 for a model that knows none. */
    int classes();

    /** Whether it can be guided towards a class: a diffusion model that knows classes. */
    boolean canBeGuided();

    /** Edge of the square images in pixels. */
    int imageSize();

    /** 1 for grey, 3 for RGB. */
    int channels();

    /**
     * Draws one image per label. Image i depends on the model, its label and (seed, i) alone.
     *
     * @param labels in [0, {@link #classes})
     * @param options what of it applies to this kind of model; seed and threads always do
     * @param progress called with the number of images done so far, by one worker at a time
     * @return [labels.length, imageSize², channels], nominally in [−1, 1]
     */
    float[] draw(int[] labels, SamplingOptions options, BackendChoice backend, LongConsumer progress);
}
