/**
 * DPAF (arXiv 2304.12185) in a sound variant: a GAN whose discriminator sees the sensitive images only as noised sums of
 * normalised features. {@code docs/dpaf.md} states the algorithm and proves its guarantee.
 *
 * <p>Two classes touch images, {@link org.sapwood.synthesis.dpaf.AggregateMechanism} and {@link
 * org.sapwood.synthesis.dpaf.Conv2Mechanism}; each answers with noise that the ledger was charged for. Everything else
 * works on their answers.
 */
@NullMarked
package org.sapwood.synthesis.dpaf;

import org.jspecify.annotations.NullMarked;
