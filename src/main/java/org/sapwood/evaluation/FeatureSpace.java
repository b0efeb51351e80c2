package org.sapwood.evaluation;

import org.sapwood.data.ImageSet;

/** Maps images to vectors in which fidelity is measured. Distances are comparable only within one space. */
public sealed interface FeatureSpace permits FeatureModel, InceptionFeatures, RememberedFeatures {
    /** How reports name this space. */
    String description();

    /** What the squared Fréchet distance in this space is called: an FID in that of the Inception network alone. */
    String distanceName();

    /**
     * The features of every image, in order; each depends on its image alone.
     *
     * @throws org.sapwood.io.UserException if the images do not fit
     */
    Features features(ImageSet images, Workers workers);
}
