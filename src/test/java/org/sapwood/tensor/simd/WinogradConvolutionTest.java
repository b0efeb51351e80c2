package org.sapwood.tensor.simd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/**
 * What the conformance suite does not say of Winograd's convolutions: how large their error is beside that of the plain sum
 * of products, and which images go the plain way.
 */
class WinogradConvolutionTest {
    private static final int EDGE = 20;
    private static final int CHANNELS = 64;
    private static final ConvGeometry GEOMETRY = ConvGeometry.same(EDGE, EDGE, CHANNELS, CHANNELS, 3);

    private final Random random = new Random(20261126);

    private Tensor normal(int... extents) {
        int size = 1;
        for (int extent : extents) {
            size *= extent;
        }
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Tensor.of(values, extents);
    }

    /** Error, and that of one chain of float multiply-adds, as root mean squares over the results. */
    private record Errors(double winograd, double plain) {}

    private interface Terms {
        /** Calls {@code term} for every product of result {@code index}, in the order of a window. */
        void forEach(int index, Term term);
    }

    private interface Term {
        void accept(float a, float b);
    }

    private static Errors errors(float[] actual, Terms terms, int every) {
        double winograd = 0;
        double plain = 0;
        for (int i = 0; i < actual.length; i += every) {
            double[] exact = new double[1];
            float[] chain = new float[1];
            terms.forEach(i, (a, b) -> {
                exact[0] += (double) a * b;
                chain[0] = Math.fma(a, b, chain[0]);
            });
            winograd += Math.pow(actual[i] - exact[0], 2);
            plain += Math.pow(chain[0] - exact[0], 2);
        }
        return new Errors(Math.sqrt(winograd), Math.sqrt(plain));
    }

    private static void assertAtMostTwice(Errors errors) {
        assertTrue(errors.plain > 0 && errors.winograd > 0, errors::toString);
        assertTrue(errors.winograd < 2.2 * errors.plain, errors::toString);
    }

    private static float at(float[] x, int row, int column, int channel) {
        boolean inside = row >= 0 && row < EDGE && column >= 0 && column < EDGE;
        return inside ? x[(row * EDGE + column) * CHANNELS + channel] : 0f;
    }

    @Test
    void outputsAreAboutAsExactAsPlainSums() {
        Tensor x = normal(1, EDGE * EDGE, CHANNELS);
        Tensor weight = normal(3, 3, CHANNELS, CHANNELS);
        Tensor y = Tensor.zeros(1, EDGE * EDGE, CHANNELS);
        try (Backend backend = SimdBackend.open()) {
            backend.conv2d(x, weight, null, GEOMETRY, y);
        }
        Terms terms = (index, term) -> {
            int pixel = index / CHANNELS;
            for (int tap = 0; tap < 9; tap++) {
                int row = pixel / EDGE + tap / 3 - 1;
                int column = pixel % EDGE + tap % 3 - 1;
                for (int i = 0; i < CHANNELS; i++) {
                    int w = (tap * CHANNELS + i) * CHANNELS + index % CHANNELS;
                    term.accept(at(x.array(), row, column, i), weight.array()[w]);
                }
            }
        };
        assertAtMostTwice(errors(y.array(), terms, 7));
    }

    @Test
    void inputGradientsAreAboutAsExactAsPlainSums() {
        Tensor dy = normal(1, EDGE * EDGE, CHANNELS);
        Tensor weight = normal(3, 3, CHANNELS, CHANNELS);
        Tensor dx = Tensor.zeros(1, EDGE * EDGE, CHANNELS);
        try (Backend backend = SimdBackend.open()) {
            backend.conv2dBackwardInput(dy, weight, GEOMETRY, dx, false);
        }
        Terms terms = (index, term) -> {
            int pixel = index / CHANNELS;
            for (int tap = 0; tap < 9; tap++) {
                int row = pixel / EDGE - tap / 3 + 1;
                int column = pixel % EDGE - tap % 3 + 1;
                for (int o = 0; o < CHANNELS; o++) {
                    int w = (tap * CHANNELS + index % CHANNELS) * CHANNELS + o;
                    term.accept(at(dy.array(), row, column, o), weight.array()[w]);
                }
            }
        };
        assertAtMostTwice(errors(dx.array(), terms, 7));
    }

    @Test
    void weightGradientsAreAboutAsExactAsPlainSums() {
        Tensor x = normal(1, EDGE * EDGE, CHANNELS);
        Tensor dy = normal(1, EDGE * EDGE, CHANNELS);
        Tensor gradient = Tensor.zeros(1, GEOMETRY.weightSize());
        try (Backend backend = SimdBackend.open()) {
            backend.convWeightGradient(x, dy, GEOMETRY, new GradientRows(gradient, 0, 1, false));
        }
        Terms terms = (index, term) -> {
            int tap = index / CHANNELS / CHANNELS;
            for (int pixel = 0; pixel < EDGE * EDGE; pixel++) {
                int row = pixel / EDGE + tap / 3 - 1;
                int column = pixel % EDGE + tap % 3 - 1;
                float input = at(x.array(), row, column, index / CHANNELS % CHANNELS);
                term.accept(input, dy.array()[pixel * CHANNELS + index % CHANNELS]);
            }
        };
        assertAtMostTwice(errors(gradient.array(), terms, 11));
    }

    /** A value that the maps would carry beyond the floats changes the way of its own image alone. */
    @Test
    void imagesWithHugeValuesGoThePlainWay() {
        Tensor x = normal(3, EDGE * EDGE, CHANNELS);
        Tensor weight = normal(3, 3, CHANNELS, CHANNELS);
        Tensor before = Tensor.zeros(3, EDGE * EDGE, CHANNELS);
        Tensor after = Tensor.zeros(3, EDGE * EDGE, CHANNELS);
        try (Backend backend = SimdBackend.open()) {
            backend.conv2d(x, weight, null, GEOMETRY, before);
            x.slice(1, 2).array()[x.slice(1, 2).offset() + 5 * CHANNELS] = 1e38f;
            backend.conv2d(x, weight, null, GEOMETRY, after);
        }
        int size = EDGE * EDGE * CHANNELS;
        for (int i = 0; i < size; i++) {
            assertEquals(before.array()[i], after.array()[i]);
            assertEquals(before.array()[2 * size + i], after.array()[2 * size + i]);
        }
        float expected = 1e38f * weight.array()[4 * CHANNELS * CHANNELS];
        assertEquals(expected, after.array()[size + 5 * CHANNELS], Math.ulp(expected));
        assertArrayEquals(new boolean[] {true, true}, new boolean[] {
            Float.isFinite(after.array()[size]), Float.isFinite(after.array()[2 * size - 1])
        });
    }

    @Test
    void formsWithoutGainStayPlain() {
        int v = Lanes.V;
        assertTrue(WinogradConvolution.suits(ConvGeometry.same(28, 28, v, 2 * v, 3)));
        assertTrue(WinogradConvolution.suits(ConvGeometry.same(7, 7, v, 2 * v, 3)));
        assertFalse(WinogradConvolution.suits(ConvGeometry.same(5, 5, v, 2 * v, 3)));
        assertFalse(WinogradConvolution.suits(ConvGeometry.same(28, 28, v + 1, 2 * v, 3)));
        assertFalse(WinogradConvolution.suits(ConvGeometry.same(28, 28, v, 2 * v, 1)));
        assertFalse(WinogradConvolution.suits(new ConvGeometry(28, 28, v, 2 * v, 3, 2, 1, 1)));
        assertFalse(WinogradConvolution.suits(ConvGeometry.same(28, 28, v, 3 * v, 3)));
        assertFalse(WinogradConvolution.suitsTransposed(ConvGeometry.same(28, 28, v, 2 * v, 3)));
        assertFalse(WinogradConvolution.suitsTransposed(new ConvGeometry(28, 28, 2 * v, 2 * v, 3, 1, 3, 0)));
        assertTrue(WinogradConvolution.suitsWeightGradient(ConvGeometry.same(14, 14, v, 2 * v, 3)));
        assertFalse(WinogradConvolution.suitsWeightGradient(ConvGeometry.same(7, 7, v, 2 * v, 3)));
    }
}
