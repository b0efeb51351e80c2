/**
 * Reverse-mode differentiation over a recorded tape. A {@link org.sapwood.autograd.Tape} is recorded once per batch size
 * and replayed for every micro-batch, so a steady-state step allocates nothing. Parametrised operations compute only the
 * gradient of their input; the gradients of parameters belong to the {@link org.sapwood.autograd.GradientSink}, which is
 * what lets the same backward pass serve ordinary and per-sample (private) training.
 */
@NullMarked
package org.sapwood.autograd;

import org.jspecify.annotations.NullMarked;
