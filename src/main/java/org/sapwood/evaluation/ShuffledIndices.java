package org.sapwood.evaluation;

import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.PermutationSampler;

/** An endless stream over a list of indices, in a new random order each time round. */
final class ShuffledIndices {
    private final int[] indices;
    private final UniformRandomProvider rng;
    private int position;

    /** A stream over {@code indices}, of which a copy is taken; at least one. */
    ShuffledIndices(int[] indices, UniformRandomProvider rng) {
        this.indices = indices.clone();
        this.rng = rng;
        this.position = indices.length;
    }

    int next() {
        if (position == indices.length) {
            PermutationSampler.shuffle(rng, indices);
            position = 0;
        }
        return indices[position++];
    }
}
