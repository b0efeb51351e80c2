/**
 * Everything the privacy guarantee rests on: Poisson sampling, clipping, exact integer aggregation, noise from a
 * cryptographic stream, accounting, and the ledger. Nothing here knows about tensors or networks, so each piece can be
 * read, tested and trusted alone; {@code docs/privacy.md} states the guarantee and its limits.
 */
@NullMarked
package org.sapwood.privacy;

import org.jspecify.annotations.NullMarked;
