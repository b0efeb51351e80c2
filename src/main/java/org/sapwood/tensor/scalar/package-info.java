/**
 * The scalar backend: every primitive as plain loops, one class per op family. It is the reference that the conformance
 * suite holds every other backend against, and the fallback of a JVM without the Vector API. Reductions run in double
 * and are rounded once; beyond loop orders that keep the innermost index contiguous nothing is optimised.
 */
@NullMarked
package org.sapwood.tensor.scalar;

import org.jspecify.annotations.NullMarked;
