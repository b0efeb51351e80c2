package org.sapwood.tensor.tck;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/** Results worked out by hand, on every backend that runs here. */
class KnownAnswersTest {
    private static final float NAN = Float.NaN;

    private static void onEveryBackend(Consumer<Backend> check) {
        List<String> available = Backends.names().stream()
                .filter(name -> Backends.unavailable(name) == null)
                .toList();
        for (String name : available) {
            try (Backend backend = Backends.choose(name).open()) {
                check.accept(backend);
            }
        }
    }

    private static Tensor tensor(Backend backend, int[] extents, float... values) {
        Tensor tensor = backend.allocate(Shape.of(extents));
        backend.upload(values, 0, tensor);
        return tensor;
    }

    private static Tensor zeros(Backend backend, int... extents) {
        return backend.allocate(Shape.of(extents));
    }

    private static float[] values(Backend backend, Tensor tensor) {
        float[] values = new float[tensor.size()];
        backend.download(tensor, values, 0);
        return values;
    }

    private static int[] of(int... extents) {
        return extents;
    }

    @Test
    void linearMultipliesWithTheTransposeOfItsWeight() {
        onEveryBackend(backend -> {
            Tensor x = tensor(backend, of(2, 2), 1, 2, 3, 4);
            Tensor weight = tensor(backend, of(3, 2), 1, 0, 0, 1, 10, 100);
            Tensor y = zeros(backend, 2, 3);
            backend.linear(x, weight, tensor(backend, of(3), 0.5f, 0, -1), y);
            assertArrayEquals(new float[] {1.5f, 2, 209, 3.5f, 4, 429}, values(backend, y));
        });
    }

    @Test
    void loraAddsTheScaledProductOfItsFactors() {
        onEveryBackend(backend -> {
            Tensor x = tensor(backend, of(1, 2), 1, 2);
            Tensor a = tensor(backend, of(1, 2), 3, 4);
            Tensor b = tensor(backend, of(2, 1), 5, -1);
            Tensor xa = zeros(backend, 1, 1);
            Tensor y = tensor(backend, of(1, 2), 100, 100);
            backend.lora(x, a, b, 2, xa, y);
            assertArrayEquals(new float[] {11}, values(backend, xa));
            assertArrayEquals(new float[] {210, 78}, values(backend, y));

            Tensor dyb = zeros(backend, 1, 1);
            Tensor dx = tensor(backend, of(1, 2), 1, 1);
            backend.loraBackwardInput(tensor(backend, of(1, 2), 1, 2), a, b, 2, dyb, dx);
            assertArrayEquals(new float[] {6}, values(backend, dyb));
            assertArrayEquals(new float[] {19, 25}, values(backend, dx));
        });
    }

    /** 2×2 image 1 2 / 3 4 under the 3×3 kernel 1…9: the centre output sums pixel times the kernel around it. */
    @Test
    void convolutionIsACrossCorrelation() {
        onEveryBackend(backend -> {
            Tensor x = tensor(backend, of(1, 4, 1), 1, 2, 3, 4);
            Tensor weight = tensor(backend, of(3, 3, 1, 1), 1, 2, 3, 4, 5, 6, 7, 8, 9);
            Tensor y = zeros(backend, 1, 4, 1);
            backend.conv2d(x, weight, null, ConvGeometry.same(2, 2, 1, 1, 3), y);
            assertArrayEquals(new float[] {77, 67, 47, 37}, values(backend, y));

            Tensor dx = zeros(backend, 1, 4, 1);
            Tensor corner = tensor(backend, of(1, 4, 1), 1, 0, 0, 0);
            backend.conv2dBackwardInput(corner, weight, ConvGeometry.same(2, 2, 1, 1, 3), dx, false);
            assertArrayEquals(new float[] {5, 6, 8, 9}, values(backend, dx));

            Tensor gradient = zeros(backend, 1, 9);
            backend.convWeightGradient(
                    x, corner, ConvGeometry.same(2, 2, 1, 1, 3), new GradientRows(gradient, 0, 1, false));
            assertArrayEquals(new float[] {0, 0, 0, 0, 1, 2, 0, 3, 4}, values(backend, gradient));
        });
    }

    /** Padding only after the last row and column, as diffusers' {@code downsample_padding = 0}. */
    @Test
    void asymmetricPaddingStartsAtTheFirstPixel() {
        onEveryBackend(backend -> {
            Tensor x = tensor(backend, of(1, 4, 1), 1, 2, 3, 4);
            Tensor weight = tensor(backend, of(3, 3, 1, 1), 1, 2, 3, 4, 5, 6, 7, 8, 9);
            Tensor y = zeros(backend, 1, 1, 1);
            backend.conv2d(x, weight, null, new ConvGeometry(2, 2, 1, 1, 3, 2, 0, 1), y);
            assertEquals(1 + 2 * 2 + 3 * 4 + 4 * 5, values(backend, y)[0]);
        });
    }

    @Test
    void groupNormCentresAndScalesEachGroup() {
        onEveryBackend(backend -> {
            Tensor x = tensor(backend, of(1, 2, 2), 1, 10, 3, 30);
            Tensor statistics = zeros(backend, 1, 2, 2);
            Tensor y = zeros(backend, 1, 2, 2);
            backend.groupNorm(
                    x, tensor(backend, of(2), 1, 2), tensor(backend, of(2), 0, 5), 2, 0, false, statistics, y);
            assertArrayEquals(new float[] {-1, 3, 1, 7}, values(backend, y), 1e-6f);
            assertArrayEquals(new float[] {2, 1, 20, 0.1f}, values(backend, statistics), 1e-6f);
        });
    }

    /** Tokens 1, 3 and 10, 30 have mean 2 and 20, deviation 1 and 10. */
    @Test
    void layerNormCentresAndScalesEachToken() {
        onEveryBackend(backend -> {
            Tensor x = tensor(backend, of(1, 2, 2), 1, 3, 10, 30);
            Tensor statistics = zeros(backend, 1, 2, 2);
            Tensor y = zeros(backend, 1, 2, 2);
            backend.layerNorm(x, tensor(backend, of(2), 1, 2), tensor(backend, of(2), 0, 5), 0, statistics, y);
            assertArrayEquals(new float[] {-1, 7, -1, 7}, values(backend, y), 1e-6f);
            assertArrayEquals(new float[] {2, 1, 20, 0.1f}, values(backend, statistics), 1e-6f);

            Tensor gradient = tensor(backend, of(1, 4), 9, 9, 9, 9);
            Tensor dy = tensor(backend, of(1, 2, 2), 1, 2, 3, 4);
            backend.layerNormScaleGradient(x, statistics, dy, new GradientRows(gradient, 1, 1, false));
            assertArrayEquals(new float[] {9, -4, 6, 9}, values(backend, gradient), 1e-6f);
        });
    }

    /** Equal scores average the values; a NaN query spoils its own row and no other. */
    @Test
    void attentionAverages() {
        onEveryBackend(backend -> {
            Tensor q = tensor(backend, of(1, 2, 1), 0, NAN);
            Tensor k = tensor(backend, of(1, 3, 1), 1, 2, 3);
            Tensor v = tensor(backend, of(1, 3, 1), 3, 6, 9);
            Tensor logSumExp = zeros(backend, 1, 1, 2);
            Tensor y = zeros(backend, 1, 2, 1);
            backend.attention(q, k, v, 1, logSumExp, y);
            assertEquals(6, values(backend, y)[0], 1e-6);
            assertEquals(Math.log(3), values(backend, logSumExp)[0], 1e-6);
            assertTrue(Float.isNaN(values(backend, y)[1]));
        });
    }

    @Test
    void activationsAtTheirEdges() {
        onEveryBackend(backend -> {
            float infinity = Float.POSITIVE_INFINITY;
            Tensor x = tensor(backend, of(6), NAN, -1, 0, 2, infinity, -infinity);
            Tensor y = zeros(backend, 6);
            backend.relu(x, y);
            assertArrayEquals(new float[] {NAN, 0, 0, 2, infinity, 0}, values(backend, y));
            backend.reluBackward(x, tensor(backend, of(6), 1, 1, 1, 1, 1, 1), y, false);
            assertArrayEquals(new float[] {0, 0, 0, 1, 1, 0}, values(backend, y));
            backend.silu(tensor(backend, of(6), NAN, 0, 100, -100, infinity, 1), y);
            assertArrayEquals(new float[] {NAN, 0, 100, 0, infinity, 0.7310586f}, values(backend, y), 1e-6f);
        });
    }

    /** Φ(1) and Φ(−3) from tables; for |g| large the gate is open or shut. The tanh form gives 0.84119 instead. */
    @Test
    void gegluGatesByTheExactGelu() {
        onEveryBackend(backend -> {
            Tensor x = tensor(backend, of(2, 6), 1, 1, -2, 1, -3, 0, 1, 2, NAN, 100, -100, 1);
            Tensor y = zeros(backend, 2, 3);
            backend.geglu(x, y);
            float phi1 = 0.8413448f;
            float phiMinus3 = 0.001349898f;
            assertArrayEquals(new float[] {phi1, -3 * phiMinus3, 0, 100, 0, NAN}, values(backend, y), 2e-7f);

            Tensor dx = zeros(backend, 2, 6);
            backend.gegluBackward(x, tensor(backend, of(2, 3), 1, 1, 10, 1, 1, 1), dx, false);
            float slope1 = 1.0833155f;
            float slopeMinus3 = -0.01194565f;
            float[] expected = {phi1, -3 * phiMinus3, 0, slope1, slopeMinus3, -10, 100, 0, phi1, 1, 0, NAN};
            assertArrayEquals(expected, values(backend, dx), 4e-7f);
        });
    }

    @Test
    void squashingActivationsAtTheirEdges() {
        onEveryBackend(backend -> {
            float infinity = Float.POSITIVE_INFINITY;
            Tensor x = tensor(backend, of(6), NAN, -1, 1e-30f, 0.5f, infinity, -infinity);
            Tensor y = zeros(backend, 6);
            Tensor ones = tensor(backend, of(6), 1, 1, 1, 1, 1, 1);
            backend.leakyRelu(x, 0.25f, y);
            assertArrayEquals(new float[] {NAN, -0.25f, 1e-30f, 0.5f, infinity, -infinity}, values(backend, y));
            backend.leakyReluBackward(x, 0.25f, ones, y, false);
            assertArrayEquals(new float[] {0.25f, 0.25f, 1, 1, 1, 0.25f}, values(backend, y));
            backend.tanh(x, y);
            float[] tanh = values(backend, y);
            assertArrayEquals(new float[] {NAN, -0.7615942f, 0, 0.46211717f, 1, -1}, tanh, 2e-7f);
            assertEquals(1e-30f, tanh[2]);
            Tensor dx = zeros(backend, 6);
            backend.tanhBackward(y, ones, dx, false);
            assertArrayEquals(new float[] {NAN, 0.41997433f, 1, 0.7864477f, 0, 0}, values(backend, dx), 4e-7f);
        });
    }

    @Test
    void losses() {
        onEveryBackend(backend -> {
            Tensor loss = zeros(backend, 2);
            Tensor gradient = zeros(backend, 2, 2);
            backend.meanSquaredError(
                    tensor(backend, of(2, 2), 1, 2, 0, 0), tensor(backend, of(2, 2), 0, 4, 0, 0), 0.5f, loss, gradient);
            assertArrayEquals(new float[] {2.5f, 0}, values(backend, loss));
            assertArrayEquals(new float[] {0.5f, -1, 0, 0}, values(backend, gradient));

            Indices labels = new Indices(2);
            labels.values()[1] = 1;
            backend.crossEntropy(tensor(backend, of(2, 2), 7, 7, 1e4f, -1e4f), labels, 1, loss, gradient);
            assertArrayEquals(new float[] {(float) Math.log(2), 2e4f}, values(backend, loss), 1e-6f);
            assertArrayEquals(new float[] {-0.5f, 0.5f, 1, -1}, values(backend, gradient), 1e-6f);
        });
    }

    @Test
    void indicesOutsideTheTableAreRefused() {
        onEveryBackend(backend -> {
            Indices indices = new Indices(1);
            indices.values()[0] = 2;
            Tensor table = zeros(backend, 2, 3);
            Tensor row = zeros(backend, 1, 3);
            assertThrows(IndexOutOfBoundsException.class, () -> backend.embedding(table, indices, row));
            GradientRows target = new GradientRows(zeros(backend, 1, 6), 0, 1, false);
            assertThrows(IndexOutOfBoundsException.class, () -> backend.embeddingGradient(indices, 2, row, target));
            Tensor loss = zeros(backend, 1);
            Tensor logits = zeros(backend, 1, 2);
            assertThrows(
                    IndexOutOfBoundsException.class,
                    () -> backend.crossEntropy(logits, indices, 1, loss, zeros(backend, 1, 2)));
        });
    }

    /** Two samples to a row: 0.75 + 0.75 counts beside 2²⁴ only if it is summed before it is added. */
    @Test
    void rowsAddFinishedGradients() {
        onEveryBackend(backend -> {
            Tensor dy = tensor(backend, of(3, 2, 1), 0x1p24f, 0, 0.75f, 0.75f, 3, 4);
            Tensor matrix = tensor(backend, of(2, 3), 9, 9, 9, 9, 9, 9);
            backend.biasGradient(dy, new GradientRows(matrix, 1, 2, false));
            assertArrayEquals(new float[] {9, 0x1p24f + 2, 9, 9, 7, 9}, values(backend, matrix));
            backend.biasGradient(dy, new GradientRows(matrix, 1, 2, true));
            assertArrayEquals(new float[] {9, 0x1p25f, 9, 9, 14, 9}, values(backend, matrix));
        });
    }

    @Test
    void theGridRoundsTiesToEven() {
        onEveryBackend(backend -> {
            long[] sums = {100, 0, 0, 0, 0};
            Tensor matrix = tensor(backend, of(2, 5), 9, 9, 9, 9, 9, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f);
            backend.accumulateOnGrid(matrix, 0, 5, new float[] {0, 1}, sums, 0);
            assertArrayEquals(new long[] {100, 2, 2, 0, -2}, sums);
            backend.accumulateOnGrid(matrix, 1, 2, new float[] {0x1p20f, 0}, sums, 1);
            assertArrayEquals(new long[] {100, 2 + (9 << 20), 2 + (9 << 20), 0, -2}, sums);
            backend.accumulateOnGrid(matrix, 1, 2, new float[] {0, 1}, sums, 3);
            assertArrayEquals(new long[] {100, 2 + (9 << 20), 2 + (9 << 20), 2, 0}, sums);
        });
    }
}
