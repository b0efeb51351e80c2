package org.sapwood.evaluation;

import java.util.IdentityHashMap;
import java.util.Map;
import org.sapwood.data.ImageSet;

/** A feature space that computes the features of a set once, for several measurements of the same sets. */
public final class RememberedFeatures implements FeatureSpace {
    private final FeatureSpace space;
    private final Map<ImageSet, Features> known = new IdentityHashMap<>();

    /** The same space, remembering. */
    public RememberedFeatures(FeatureSpace space) {
        this.space = space;
    }

    @Override
    public String description() {
        return space.description();
    }

    @Override
    public String distanceName() {
        return space.distanceName();
    }

    @Override
    public Features features(ImageSet images, Workers workers) {
        return known.computeIfAbsent(images, set -> space.features(set, workers));
    }
}
