package org.sapwood.tensor.simd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
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

    private static void assertCloseToPlain(Errors errors) {
        assertTrue(errors.plain > 0 && errors.winograd > 0, errors::toString);
        assertTrue(errors.winograd < 2.2 * errors.plain, errors::toString);
    }

    private static float at(float[] x, int edge, int row, int column, int channel) {
        boolean inside = row >= 0 && row < edge && column >= 0 && column < edge;
        return inside ? x[(row * edge + column) * CHANNELS + channel] : 0f;
    }

    /** The terms of an output or, {@code transposed}, of the gradient of an input. */
    private static Terms windows(Tensor image, int edge, Tensor weight, boolean transposed) {
        int sign = transposed ? -1 : 1;
        return (index, term) -> {
            int pixel = index / CHANNELS;
            int own = index % CHANNELS;
            for (int tap = 0; tap < 9; tap++) {
                int row = pixel / edge + sign * (tap / 3 - 1);
                int column = pixel % edge + sign * (tap % 3 - 1);
                for (int c = 0; c < CHANNELS; c++) {
                    int in = transposed ? own : c;
                    int out = transposed ? c : own;
                    term.accept(
                            at(image.array(), edge, row, column, c),
                            weight.array()[(tap * CHANNELS + in) * CHANNELS + out]);
                }
            }
        };
    }

    /** The last tiles of a row have 4, 1, 2 or 3 outputs. */
    @ParameterizedTest
    @ValueSource(ints = {EDGE, 17, 18, 19})
    void outputsAreAboutAsExactAsPlainSums(int edge) {
        Tensor x = normal(1, edge * edge, CHANNELS);
        Tensor weight = normal(3, 3, CHANNELS, CHANNELS);
        Tensor y = Tensor.zeros(1, edge * edge, CHANNELS);
        try (Backend backend = SimdBackend.open()) {
            backend.conv2d(x, weight, null, ConvGeometry.same(edge, edge, CHANNELS, CHANNELS, 3), y);
        }
        assertCloseToPlain(errors(y.array(), windows(x, edge, weight, false), 7));
    }

    @ParameterizedTest
    @ValueSource(ints = {EDGE, 17, 18, 19})
    void inputGradientsAreAboutAsExactAsPlainSums(int edge) {
        Tensor dy = normal(1, edge * edge, CHANNELS);
        Tensor weight = normal(3, 3, CHANNELS, CHANNELS);
        Tensor dx = Tensor.zeros(1, edge * edge, CHANNELS);
        try (Backend backend = SimdBackend.open()) {
            backend.conv2dBackwardInput(dy, weight, ConvGeometry.same(edge, edge, CHANNELS, CHANNELS, 3), dx, false);
        }
        assertCloseToPlain(errors(dx.array(), windows(dy, edge, weight, true), 7));
    }

    /** Images of 17×17 and more are cut into squares, those of 7×7 and 8×8 into rows only. */
    @ParameterizedTest
    @ValueSource(ints = {EDGE, 17, 18, 19, 7, 8})
    void weightGradientsAreAboutAsExactAsPlainSums(int edge) {
        ConvGeometry geometry = ConvGeometry.same(edge, edge, CHANNELS, CHANNELS, 3);
        Tensor x = normal(1, edge * edge, CHANNELS);
        Tensor dy = normal(1, edge * edge, CHANNELS);
        Tensor gradient = Tensor.zeros(1, geometry.weightSize());
        try (Backend backend = SimdBackend.open()) {
            backend.convWeightGradient(x, dy, geometry, new GradientRows(gradient, 0, 1, false));
        }
        Terms terms = (index, term) -> {
            int tap = index / CHANNELS / CHANNELS;
            for (int pixel = 0; pixel < edge * edge; pixel++) {
                int row = pixel / edge + tap / 3 - 1;
                int column = pixel % edge + tap % 3 - 1;
                float input = at(x.array(), edge, row, column, index / CHANNELS % CHANNELS);
                term.accept(input, dy.array()[pixel * CHANNELS + index % CHANNELS]);
            }
        };
        assertCloseToPlain(errors(gradient.array(), terms, 11));
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

    /** Wild images first, last, alone and side by side; the others keep their bits, and dx its sum. */
    @Test
    void wildImagesAnywhereLeaveTheOthersAlone() {
        ConvGeometry geometry = ConvGeometry.same(8, 8, 32, 32, 3);
        int size = 64 * 32;
        Tensor dy = normal(4, 64, 32);
        Tensor weight = normal(3, 3, 32, 32);
        float[] before = normal(4, 64, 32).array();
        int[][] wild = {{}, {0}, {3}, {1, 2}, {0, 1, 3}, {0, 1, 2, 3}};
        float[] tame = new float[0];
        try (Backend backend = SimdBackend.open()) {
            for (int[] images : wild) {
                Tensor poisoned = Tensor.of(dy.array().clone(), 4, 64, 32);
                for (int image : images) {
                    poisoned.array()[image * size + 77] = Float.NaN;
                }
                Tensor dx = Tensor.of(before.clone(), 4, 64, 32);
                backend.conv2dBackwardInput(poisoned, weight, geometry, dx, true);
                tame = images.length == 0 ? dx.array() : tame;
                for (int image = 0; image < 4; image++) {
                    int number = image;
                    boolean isWild = Arrays.stream(images).anyMatch(i -> i == number);
                    int notFinite = 0;
                    for (int i = image * size; i < (image + 1) * size; i++) {
                        notFinite += Float.isFinite(dx.array()[i]) ? 0 : 1;
                        if (!isWild) {
                            assertEquals(tame[i], dx.array()[i]);
                        }
                    }
                    // Pixel 2 of the first row has six neighbours, itself among them.
                    assertEquals(isWild ? 6 * 32 : 0, notFinite);
                }
            }
        }
    }

    /** A filter that the maps would carry beyond the floats. */
    @Test
    void hugeFiltersGoThePlainWay() {
        Tensor x = normal(2, EDGE * EDGE, CHANNELS);
        Tensor weight = normal(3, 3, CHANNELS, CHANNELS);
        weight.array()[5] = 2e38f;
        Tensor y = Tensor.zeros(2, EDGE * EDGE, CHANNELS);
        try (Backend backend = SimdBackend.open()) {
            backend.conv2d(x, weight, null, GEOMETRY, y);
        }
        for (int i = 0; i < y.size(); i++) {
            assertTrue(i % CHANNELS == 5 || Float.isFinite(y.array()[i]));
        }
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
        WinogradConvolution winograd = new WinogradConvolution(new WinogradBuffers());
        assertFalse(winograd.suitsTransposed(ConvGeometry.same(28, 28, v, 3 * v, 3)));
        assertTrue(winograd.suitsTransposed(ConvGeometry.same(28, 28, 2 * v, 2 * v, 3)));
        assertFalse(winograd.suitsTransposed(new ConvGeometry(28, 28, 2 * v, 2 * v, 3, 1, 3, 0)));
        assertTrue(WinogradFilterGradient.suits(ConvGeometry.same(14, 14, v, 2 * v, 3)));
        assertFalse(WinogradConvolution.suits(ConvGeometry.same(512, 512, 8 * v, 8 * v, 3)));
        assertFalse(WinogradFilterGradient.suits(ConvGeometry.same(128, 128, 8 * v, 8 * v, 3)));
        assertTrue(WinogradFilterGradient.suits(ConvGeometry.same(7, 7, v, 2 * v, 3)));
        assertFalse(WinogradFilterGradient.suits(ConvGeometry.same(5, 5, v, 2 * v, 3)));
    }
}
