package org.sapwood.tensor.scalar;

import java.util.Arrays;
import java.util.Objects;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Tensor;

/** Table lookup and its gradient. An index outside the table throws {@link IndexOutOfBoundsException}. */
final class ScalarEmbedding {
    private ScalarEmbedding() {}

    static void embedding(Tensor table, Indices indices, Tensor y) {
        int channels = table.dim(1);
        for (int sample = 0; sample < indices.length(); sample++) {
            int row = Objects.checkIndex(indices.values()[sample], table.dim(0));
            int from = table.offset() + row * channels;
            System.arraycopy(table.array(), from, y.array(), y.offset() + sample * channels, channels);
        }
    }

    static void embeddingGradient(Indices indices, int rows, Tensor dy, GradientRows target) {
        int channels = dy.dim(-1);
        float[] gradients = target.matrix().array();
        for (int sample = 0; sample < indices.length(); sample++) {
            int row = Objects.checkIndex(indices.values()[sample], rows);
            int start = target.start(sample);
            if (!target.adds(sample)) {
                Arrays.fill(gradients, start, start + rows * channels, 0);
            }
            for (int c = 0; c < channels; c++) {
                gradients[start + row * channels + c] += dy.array()[dy.offset() + sample * channels + c];
            }
        }
    }
}
