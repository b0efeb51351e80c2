/**
 * The CUDA backend: kernels written by hand ({@code kernels/*.cu}), launched through JCuda's driver API. The only package
 * that imports {@code jcuda}, which appears in no public signature; loaded reflectively, since a JVM without JCuda or
 * without a driver must be able to load every other class.
 *
 * <p>One class per op family, with the name of its twin: {@code CudaConvolution} launches {@code kernels/convolution.cu}
 * and answers to {@code scalar/ScalarConvolution}. The launch geometry is decided here, in Java.
 */
@NullMarked
package org.sapwood.tensor.cuda;

import org.jspecify.annotations.NullMarked;
