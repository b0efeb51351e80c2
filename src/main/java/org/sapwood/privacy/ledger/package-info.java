/**
 * The record of a run's privacy budget: what was planned, what was spent, and the ε of both. A step is on disk before
 * its noise exists: the ledger hands out a {@link org.sapwood.privacy.ledger.Charge} only after the journal is synced,
 * and no noised sum can be made without one.
 */
@NullMarked
package org.sapwood.privacy.ledger;

import org.jspecify.annotations.NullMarked;
