/**
 * The measured worth of a synthetic image set: downstream accuracy ({@link org.sapwood.evaluation.DownstreamAccuracy}),
 * Fréchet distance and precision/recall in a feature space ({@link org.sapwood.evaluation.Fidelity}), gathered by {@link
 * org.sapwood.evaluation.Evaluation}; apart from it, and only when asked for, the check for memorised images ({@link
 * org.sapwood.evaluation.NearestTrainingImages}). Everything here that touches real images is a non-private diagnostic:
 * comparing with private data is itself a release, and no budget was spent on it.
 */
@NullMarked
package org.sapwood.evaluation;

import org.jspecify.annotations.NullMarked;
