package org.sapwood.tensor.cuda;

import java.util.Objects;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Tensor;

/**
 * Launches {@code kernels/embedding.cu}. An index outside the table throws {@link IndexOutOfBoundsException} before
 * anything is launched.
 */
final class CudaEmbedding {
    private static final int THREADS = 256;

    private CudaEmbedding() {}

    static void embedding(CudaStream stream, Tensor table, Indices indices, Tensor y) {
        check(indices, table.dim(0));
        stream.kernel("embedding", "embedding_lookup")
                .tensor(table)
                .address(stream.address(indices))
                .tensor(y)
                .i32(table.dim(0))
                .i32(table.dim(1))
                .i32(y.size())
                .overItems(y.size(), THREADS);
    }

    static void embeddingGradient(CudaStream stream, Indices indices, int rows, Tensor dy, GradientRows target) {
        check(indices, rows);
        int width = Math.multiplyExact(rows, dy.dim(-1));
        int targetRows = Math.ceilDiv(indices.length(), target.samplesPerRow());
        stream.kernel("embedding", "embedding_gradient")
                .address(stream.address(indices))
                .tensor(dy)
                .i32(indices.length())
                .i32(rows)
                .i32(dy.dim(-1))
                .rows(target)
                .overItems((long) targetRows * width, THREADS);
    }

    /** Every index must be in [0, bound): a kernel would read and write elsewhere. */
    static void check(Indices indices, int bound) {
        for (int index : indices.values()) {
            Objects.checkIndex(index, bound);
        }
    }
}
