/**
 * Exact sums of bounded contributions and the noise on them. Every coordinate is put on a power-of-two grid and summed
 * as a 64-bit integer, so a sum is the same bits for any order, micro-batch, thread or host, and its sensitivity is
 * that of real arithmetic. A {@link org.sapwood.privacy.aggregation.BoundedSum} carries its own sensitivity and gives
 * its content away only with noise calibrated from it, paid for by a ledger's charge, once.
 */
@NullMarked
package org.sapwood.privacy.aggregation;

import org.jspecify.annotations.NullMarked;
