/**
 * JMH benchmarks of Sapwood's hot operations, each for the backends that run here, on the shapes of the reference models
 * {@code unet28} and {@code unet32}. {@code bench/HOWTO.md} tells how to run and read them.
 */
@NullMarked
package org.sapwood.bench;

import org.jspecify.annotations.NullMarked;
