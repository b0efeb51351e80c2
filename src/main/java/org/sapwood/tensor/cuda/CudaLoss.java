package org.sapwood.tensor.cuda;

import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Tensor;

/** Launches {@code kernels/loss.cu}; a label outside the classes throws {@link IndexOutOfBoundsException}. */
final class CudaLoss {
    private static final int THREADS = 256;

    /** For samples of at least 4 values for each. */
    private static final int MANY_THREADS = 512;

    private CudaLoss() {}

    static void meanSquaredError(
            CudaStream stream, Tensor prediction, Tensor target, float gradientScale, Tensor loss, Tensor dPrediction) {
        int size = prediction.shape().rowSize();
        stream.kernel("loss", "loss_mean_squared_error")
                .tensor(prediction)
                .tensor(target)
                .i32(size)
                .f32(gradientScale)
                .tensor(loss)
                .tensor(dPrediction)
                .blocks(prediction.dim(0), size < 4 * MANY_THREADS ? THREADS : MANY_THREADS);
    }

    static void crossEntropy(
            CudaStream stream, Tensor logits, Indices labels, float gradientScale, Tensor loss, Tensor dLogits) {
        int classes = logits.dim(-1);
        CudaEmbedding.check(labels, classes);
        stream.kernel("loss", "loss_cross_entropy")
                .tensor(logits)
                .address(stream.address(labels))
                .i32(classes)
                .f32(gradientScale)
                .tensor(loss)
                .tensor(dLogits)
                .blocks(labels.length(), THREADS);
    }
}
