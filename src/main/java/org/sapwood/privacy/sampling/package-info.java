/**
 * Poisson sampling of logical batches. The sampler that draws the batches also states the event the accountants see,
 * and the public expected batch size is a type of its own, so that neither shuffled batches nor a division by the
 * realised batch size can slip in.
 */
@NullMarked
package org.sapwood.privacy.sampling;

import org.jspecify.annotations.NullMarked;
