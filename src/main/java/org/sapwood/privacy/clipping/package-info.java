/**
 * Bounding what one example can contribute. A rule turns the squared gradient norms of one example's parameter groups
 * into one factor per group, such that the scaled gradient's L2 norm is at most the rule's sensitivity even though the
 * norms were computed in floating point.
 */
@NullMarked
package org.sapwood.privacy.clipping;

import org.jspecify.annotations.NullMarked;
