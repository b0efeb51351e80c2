/**
 * The backend on the Java Vector API, written for speed: register-blocked micro-kernels, convolution by Winograd or as an
 * implicit product, fused group normalisation and SiLU, blocked attention. It is the only package that imports {@code
 * jdk.incubator.vector}, and it is loaded reflectively, so that Sapwood still runs (on {@code scalar}) where that module
 * is absent. Each {@code Simd*} family is the twin of the {@code Scalar*} family of the same name.
 */
@NullMarked
package org.sapwood.tensor.simd;

import org.jspecify.annotations.NullMarked;
