/**
 * Differentially private image synthesis on the JVM: a tensor and autograd core, a compact diffusion family on top of it,
 * and the private trainers of published methods.
 *
 * <p>The packages form layers whose dependencies point down only: {@code cli}, then {@code synthesis}, then
 * {@code diffusion}, {@code privacy}, {@code evaluation} and {@code data}, then {@code nn}, {@code autograd} and
 * {@code tensor}. {@code io} stands at the bottom beside {@code tensor}, for everyone's use.
 */
@NullMarked
package org.sapwood;

import org.jspecify.annotations.NullMarked;
