package org.sapwood.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/** Norms of per-example gradients that are never stored, by both flows, against gradients that are. */
class PerSampleNormTest {
    private static final long SEED = 8;

    /** Relative accuracy of a norm that is made of float32 sums without cancellation. */
    private static final double FLOAT = 1e-5;

    /** A linear layer's gradients: B samples of T tokens, K of them an example. */
    private record Layer(int samples, int tokens, int in, int out, int draws) {
        int examples() {
            return Math.ceilDiv(samples, draws);
        }
    }

    private static final List<Layer> LAYERS = List.of(
            new Layer(1, 1, 1, 1, 1),
            new Layer(5, 1, 7, 3, 1),
            new Layer(5, 1, 64, 130, 2),
            new Layer(5, 3, 8, 4, 3),
            new Layer(4, 16, 5, 9, 1),
            new Layer(3, 17, 12, 20, 1),
            new Layer(3, 70, 33, 65, 2),
            new Layer(2, 130, 3, 1, 1));

    private static final List<ConvGeometry> CONVOLUTIONS = List.of(
            ConvGeometry.same(5, 4, 3, 2, 3),
            ConvGeometry.same(6, 6, 8, 12, 3),
            ConvGeometry.same(4, 4, 5, 4, 1),
            new ConvGeometry(7, 6, 4, 3, 3, 2, 0, 1),
            new ConvGeometry(9, 9, 2, 70, 5, 3, 2, 2));

    private static float[] normal(SplittableRandom random, int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** On the device, at an offset that is no multiple of 16 bytes. */
    private static Tensor upload(CudaStream stream, float[] values, int... extents) {
        DeviceStorage storage = stream.allocate(values.length + 8);
        stream.fill(storage.address(), Float.floatToRawIntBits(Float.NaN), 4L * storage.size());
        Tensor tensor = new Tensor(Shape.of(extents), storage, 5);
        stream.staging().upload(values, 0, values.length, stream.address(tensor));
        return tensor;
    }

    private interface Norms {
        void addTo(long norms);
    }

    private static double[] norms(CudaStream stream, int examples, Norms norms) {
        long address = OnDevice.doubles(stream, new double[examples]);
        norms.addTo(address);
        return OnDevice.readDoubles(stream, address, examples);
    }

    private static double[] linear(CudaStream stream, NormFlow flow, Layer layer, float[] x, float[] dy, float alpha) {
        Tensor inputs = upload(stream, x, layer.samples, layer.tokens, layer.in);
        Tensor gradients = upload(stream, dy, layer.samples, layer.tokens, layer.out);
        return norms(
                stream,
                layer.examples(),
                norms -> CudaPerSampleNorm.linear(stream, flow, inputs, gradients, alpha, layer.draws, norms));
    }

    /** The squared norm of Σ x_t dy_tᵀ of each example in fp64, straight from its definition. */
    private static double[] definition(Layer layer, float[] x, float[] dy) {
        double[] norms = new double[layer.examples()];
        for (int example = 0; example < norms.length; example++) {
            int end = Math.min(layer.samples, (example + 1) * layer.draws) * layer.tokens;
            for (int i = 0; i < layer.in; i++) {
                for (int o = 0; o < layer.out; o++) {
                    double sum = 0;
                    for (int t = example * layer.draws * layer.tokens; t < end; t++) {
                        sum += (double) x[t * layer.in + i] * dy[t * layer.out + o];
                    }
                    norms[example] += sum * sum;
                }
            }
        }
        return norms;
    }

    private static double[] materialised(CudaStream stream, Tensor rows) {
        double[] norms = new double[rows.dim(0)];
        CudaPrivateGradients.squaredNorms(stream, rows, 0, rows.dim(1), norms);
        return norms;
    }

    private static void assertClose(double[] expected, double[] actual, double relative, String what) {
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], relative * expected[i], what + ", example " + i);
        }
    }

    @Test
    void bothFlowsAreTheNormOfTheStoredGradient() {
        SplittableRandom random = new SplittableRandom(SEED);
        try (CudaStream stream = OnDevice.stream()) {
            for (Layer layer : LAYERS) {
                float[] x = normal(random, layer.samples * layer.tokens * layer.in);
                float[] dy = normal(random, layer.samples * layer.tokens * layer.out);
                double[] expected = definition(layer, x, dy);
                double[] ghost = linear(stream, NormFlow.GHOST, layer, x, dy, 1);
                assertClose(expected, ghost, 1e-11, "ghost " + layer);
                assertClose(
                        expected,
                        linear(stream, NormFlow.INSTANTIATED, layer, x, dy, 1),
                        FLOAT,
                        "instantiated " + layer);
                int size = layer.in * layer.out;
                Tensor rows = new Tensor(Shape.of(layer.examples(), size), stream.allocate(layer.examples() * size), 0);
                CudaBlas.weightGradient(
                        stream,
                        upload(stream, x, layer.samples, layer.tokens, layer.in),
                        upload(stream, dy, layer.samples, layer.tokens, layer.out),
                        0.5f,
                        new GradientRows(rows, 0, layer.draws, false));
                double[] half = linear(stream, NormFlow.GHOST, layer, x, dy, 0.5f);
                assertClose(materialised(stream, rows), half, FLOAT, "materialised " + layer);
            }
        }
    }

    @Test
    void convolutionsGatherWhatEachPixelSees() {
        SplittableRandom random = new SplittableRandom(SEED);
        try (CudaStream stream = OnDevice.stream()) {
            int samples = 3;
            for (ConvGeometry geometry : CONVOLUTIONS) {
                Tensor x = upload(
                        stream,
                        normal(random, samples * geometry.inTokens() * geometry.inChannels()),
                        samples,
                        geometry.inTokens(),
                        geometry.inChannels());
                Tensor dy = upload(
                        stream,
                        normal(random, samples * geometry.outTokens() * geometry.outChannels()),
                        samples,
                        geometry.outTokens(),
                        geometry.outChannels());
                for (int draws : new int[] {1, 2}) {
                    int examples = Math.ceilDiv(samples, draws);
                    Tensor rows = new Tensor(
                            Shape.of(examples, geometry.weightSize()),
                            stream.allocate(examples * geometry.weightSize()),
                            0);
                    CudaConvolution.convWeightGradient(
                            stream, x, dy, geometry, new GradientRows(rows, 0, draws, false));
                    double[] expected = materialised(stream, rows);
                    for (NormFlow flow : NormFlow.values()) {
                        double[] actual = norms(
                                stream,
                                examples,
                                norms -> CudaPerSampleNorm.convolution(stream, flow, x, dy, geometry, draws, norms));
                        assertClose(expected, actual, FLOAT, flow + " " + geometry);
                    }
                }
            }
        }
    }

    /**
     * Two tokens that all but cancel, where inner products in float32 read a norm that is a sixth too low, or nothing
     * at all. The ghost norm is never below the real one, for no pair of close tokens.
     */
    @Test
    void cancellingTokensDoNotLowerTheNorm() {
        SplittableRandom random = new SplittableRandom(SEED);
        try (CudaStream stream = OnDevice.stream()) {
            for (float apart : new float[] {1e-2f, 1e-3f, 1e-4f, 1e-5f, 1e-6f}) {
                Layer layer = new Layer(8, 2, 40, 24, 1);
                float[] x = normal(random, layer.samples * 2 * layer.in);
                float[] dy = normal(random, layer.samples * 2 * layer.out);
                for (int sample = 0; sample < layer.samples; sample++) {
                    for (int i = 0; i < layer.in; i++) {
                        int at = sample * 2 * layer.in + i;
                        x[at + layer.in] = x[at] * (1 + apart * (float) random.nextGaussian());
                    }
                    for (int o = 0; o < layer.out; o++) {
                        int at = sample * 2 * layer.out + o;
                        dy[at + layer.out] = -dy[at];
                    }
                }
                double[] real = definition(layer, x, dy);
                double[] ghost = linear(stream, NormFlow.GHOST, layer, x, dy, 1);
                for (int i = 0; i < real.length; i++) {
                    assertTrue(ghost[i] >= real[i] * (1 - 1e-12), "ghost under-reads " + real[i] + ": " + ghost[i]);
                    assertEquals(real[i], ghost[i], real[i] * 1e-12 / ((double) apart * apart), "apart " + apart);
                }
            }
        }
    }

    /** A gradient that is exactly zero, though no token is: the norm is not negative, which would drop the example. */
    @Test
    void drawsAreSummedBeforeTheNorm() {
        SplittableRandom random = new SplittableRandom(SEED);
        try (CudaStream stream = OnDevice.stream()) {
            Layer layer = new Layer(4, 30, 10, 12, 2);
            float[] x = normal(random, layer.samples * 30 * layer.in);
            float[] dy = normal(random, layer.samples * 30 * layer.out);
            for (int example = 0; example < 2; example++) {
                int first = example * 2 * 30;
                System.arraycopy(x, first * layer.in, x, (first + 30) * layer.in, 30 * layer.in);
                for (int i = 0; i < 30 * layer.out; i++) {
                    dy[(first + 30) * layer.out + i] = -dy[first * layer.out + i];
                }
            }
            for (double norm : linear(stream, NormFlow.GHOST, layer, x, dy, 1)) {
                assertTrue(norm >= 0 && norm < 1e-6, "norm " + norm);
            }
            for (double norm : linear(stream, NormFlow.INSTANTIATED, layer, x, dy, 1)) {
                assertTrue(norm >= 0 && norm < 1e-6, "norm " + norm);
            }
            Tensor gradients = upload(stream, dy, layer.samples, 30, layer.out);
            double[] bias = norms(stream, 2, norms -> CudaPerSampleNorm.bias(stream, gradients, 2, norms));
            assertArrayEquals(new double[2], bias, 1e-20);
        }
    }

    @Test
    void theBiasIsSummedBeforeItsNorm() {
        SplittableRandom random = new SplittableRandom(SEED);
        try (CudaStream stream = OnDevice.stream()) {
            for (int channels : new int[] {1, 3, 32, 77}) {
                for (int draws : new int[] {1, 2}) {
                    int tokens = 41;
                    float[] dy = normal(random, 5 * tokens * channels);
                    // A bias is a weight whose only input is always 1.
                    float[] ones = new float[5 * tokens];
                    Arrays.fill(ones, 1);
                    double[] expected = definition(new Layer(5, tokens, 1, channels, draws), ones, dy);
                    Tensor gradients = upload(stream, dy, 5, tokens, channels);
                    double[] actual = norms(
                            stream, expected.length, norms -> CudaPerSampleNorm.bias(stream, gradients, draws, norms));
                    assertClose(expected, actual, 1e-13, channels + " channels, " + draws + " draws");
                }
            }
        }
    }

    /** The norm of a weight with two uses is that of the sum of both gradients, which has cross terms. */
    @Test
    void aTiedWeightIsGivenOnceWithAllItsTokens() {
        SplittableRandom random = new SplittableRandom(SEED);
        try (CudaStream stream = OnDevice.stream()) {
            Layer use = new Layer(2, 3, 6, 5, 1);
            float[] x = normal(random, 2 * 3 * 6);
            float[] dy = normal(random, 2 * 3 * 5);
            float[] both = twice(x, 2, 3 * 6);
            float[] gradients = twice(dy, 2, 3 * 5);
            double[] once = definition(use, x, dy);
            double[] tied = linear(stream, NormFlow.GHOST, new Layer(2, 6, 6, 5, 1), both, gradients, 1);
            for (int i = 0; i < 2; i++) {
                // Twice the same gradient is four times the square, not twice.
                assertEquals(4 * once[i], tied[i], 1e-10 * once[i]);
            }
        }
    }

    /** Each sample's stretch followed by itself. */
    private static float[] twice(float[] values, int samples, int length) {
        float[] both = new float[2 * values.length];
        for (int sample = 0; sample < samples; sample++) {
            System.arraycopy(values, sample * length, both, 2 * sample * length, length);
            System.arraycopy(values, sample * length, both, (2 * sample + 1) * length, length);
        }
        return both;
    }

    @Test
    void bitsOfAnExampleDependOnItAlone() {
        SplittableRandom random = new SplittableRandom(SEED);
        try (CudaStream stream = OnDevice.stream()) {
            Layer layer = new Layer(5, 20, 30, 66, 1);
            Layer alone = new Layer(1, 20, 30, 66, 1);
            float[] x = normal(random, 5 * 20 * 30);
            float[] dy = normal(random, 5 * 20 * 66);
            x[3 * 20 * 30 + 7] = Float.NaN;
            dy[4 * 20 * 66 + 11] = Float.POSITIVE_INFINITY;
            for (NormFlow flow : NormFlow.values()) {
                double[] together = linear(stream, flow, layer, x, dy, 1);
                for (int i = 0; i < 3; i++) {
                    double[] single = linear(
                            stream,
                            flow,
                            alone,
                            Arrays.copyOfRange(x, i * 20 * 30, (i + 1) * 20 * 30),
                            Arrays.copyOfRange(dy, i * 20 * 66, (i + 1) * 20 * 66),
                            1);
                    assertEquals(single[0], together[i], flow + ", example " + i);
                }
                assertFalse(Double.isFinite(together[3]), "NaN shows");
                assertFalse(Double.isFinite(together[4]), "infinity shows");
            }
        }
    }

    @Test
    void normsOfSeveralParametersAddUp() {
        try (CudaStream stream = OnDevice.stream()) {
            Tensor x = upload(stream, new float[] {1, 2, 3, 4}, 2, 1, 2);
            Tensor dy = upload(stream, new float[] {3, 5}, 2, 1, 1);
            double[] actual = norms(stream, 2, norms -> {
                CudaPerSampleNorm.linear(stream, x, dy, 2, 1, norms);
                CudaPerSampleNorm.bias(stream, dy, 1, norms);
            });
            assertClose(new double[] {4 * 9 * 5 + 9, 4 * 25 * 25 + 25}, actual, 1e-12, "weight and bias");
        }
    }

    @Test
    void coarserPrecisionsStayClose() {
        SplittableRandom random = new SplittableRandom(SEED);
        Layer layer = new Layer(2, 40, 70, 20, 1);
        float[] x = normal(random, 2 * 40 * 70);
        float[] dy = normal(random, 2 * 40 * 20);
        double[] expected = definition(layer, x, dy);
        OnDevice.stream().close();
        for (Precision precision : new Precision[] {Precision.TF32, Precision.BF16}) {
            try (CudaStream stream = new CudaStream(CudaDriver.device(), precision)) {
                assertClose(expected, linear(stream, NormFlow.INSTANTIATED, layer, x, dy, 1), 5e-3, "" + precision);
                assertClose(expected, linear(stream, NormFlow.GHOST, layer, x, dy, 1), 1e-11, "ghost is always fp64");
            }
        }
    }

    @Test
    void theFlowOfFewerOperationsIsChosen() {
        assertEquals(NormFlow.GHOST, NormFlow.cheaper(1, 512, 128));
        assertEquals(NormFlow.GHOST, NormFlow.cheaper(64, 512, 512));
        assertEquals(NormFlow.INSTANTIATED, NormFlow.cheaper(784, 1152, 128));
        assertEquals(NormFlow.INSTANTIATED, NormFlow.cheaper(4, 8, 8), "as many operations, and fp32");
        assertEquals(NormFlow.GHOST, NormFlow.cheaper(3, 8, 8));
        assertEquals(NormFlow.GHOST, NormFlow.cheaper(1 << 20, 1L << 31, 1L << 31));
    }

    @Test
    void noSamplesAddNothing() {
        try (CudaStream stream = OnDevice.stream()) {
            Tensor empty = upload(stream, new float[0], 0, 3, 2);
            double[] norms = norms(stream, 1, at -> {
                CudaPerSampleNorm.linear(stream, empty, empty, 1, 1, at);
                CudaPerSampleNorm.bias(stream, empty, 1, at);
            });
            assertArrayEquals(new double[1], norms);
        }
    }
}
