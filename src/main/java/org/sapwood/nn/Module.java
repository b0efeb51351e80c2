package org.sapwood.nn;

import org.apache.commons.rng.UniformRandomProvider;

/** A building block with parameters. Its {@code forward} method, whose arguments differ by kind, records it on a tape. */
interface Module {
    /** Gives every parameter a random initial value. */
    void initialize(UniformRandomProvider rng);
}
