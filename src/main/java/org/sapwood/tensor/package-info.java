/**
 * Dense float32 tensors and the one interface, {@link org.sapwood.tensor.Backend}, behind which every numeric primitive
 * of Sapwood stands. Nothing in here knows about automatic differentiation, models or privacy.
 *
 * <p>Layout: images are NHWC, so an image is a matrix of H·W tokens × C channels and a batch is [B, T, C]. Tensors are
 * contiguous; the only views are reshapes and leading-axis slices.
 */
@NullMarked
package org.sapwood.tensor;

import org.jspecify.annotations.NullMarked;
