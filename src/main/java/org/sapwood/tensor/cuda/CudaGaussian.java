package org.sapwood.tensor.cuda;

import org.sapwood.tensor.Tensor;

/** Launches {@code kernels/gaussian.cu}. */
final class CudaGaussian {
    private static final int THREADS = 256;

    private CudaGaussian() {}

    static void gaussianSample(CudaStream stream, Tensor moments, Tensor noise, Tensor z) {
        stream.kernel("gaussian", "gaussian_sample")
                .tensor(moments)
                .tensor(noise)
                .i32(z.dim(-1))
                .i32(z.size())
                .tensor(z)
                .blocks(Math.ceilDiv(z.size(), THREADS), THREADS);
    }

    static void gaussianSampleBackward(
            CudaStream stream, Tensor moments, Tensor noise, Tensor dz, Tensor dMoments, boolean accumulate) {
        stream.kernel("gaussian", "gaussian_sample_backward")
                .tensor(moments)
                .tensor(noise)
                .tensor(dz)
                .i32(dz.dim(-1))
                .i32(dz.size())
                .tensor(dMoments)
                .flag(accumulate)
                .blocks(Math.ceilDiv(dz.size(), THREADS), THREADS);
    }

    static void gaussianDivergence(
            CudaStream stream, Tensor moments, float gradientScale, Tensor divergence, Tensor dMoments) {
        stream.kernel("gaussian", "gaussian_divergence")
                .tensor(moments)
                .i32(moments.dim(-1) / 2)
                .i32(moments.shape().rowSize() / 2)
                .f32(gradientScale)
                .tensor(divergence)
                .tensor(dMoments)
                .blocks(moments.dim(0), THREADS);
    }
}
