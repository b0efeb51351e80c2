/**
 * How much privacy a sequence of Poisson-subsampled Gaussian queries costs, and how much noise a budget asks for.
 * {@link org.sapwood.privacy.accounting.PldAccountant} gives the reported ε, {@link
 * org.sapwood.privacy.accounting.RdpAccountant} a quick and slightly larger one; both are upper bounds for the
 * add/remove relation and compose events of any kind. {@link org.sapwood.privacy.accounting.Calibration} searches for
 * noise multipliers and only ever returns one that was seen to meet the target.
 */
@NullMarked
package org.sapwood.privacy.accounting;

import org.jspecify.annotations.NullMarked;
