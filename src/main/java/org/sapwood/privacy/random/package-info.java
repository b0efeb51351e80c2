/**
 * The randomness the guarantee rests on: a ChaCha20 key stream (RFC 8439) as a Commons RNG provider, sub-streams that
 * never share a (key, nonce, counter), and Gaussian noise addressed by coordinate so that any number of threads, or a
 * GPU, produces the same bits.
 */
@NullMarked
package org.sapwood.privacy.random;

import org.jspecify.annotations.NullMarked;
