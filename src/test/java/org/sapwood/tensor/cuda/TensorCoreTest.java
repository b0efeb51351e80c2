package org.sapwood.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;
import org.sapwood.tensor.scalar.ScalarBackend;

/**
 * Products and convolutions in every precision and shape of tile, with and without a copy that aligns and pads the
 * factors. Factors that no precision rounds must give the bits of the reference; others must agree with it within
 * their rounding.
 */
class TensorCoreTest {
    private static final long SEED = 20260215;

    /** Multiples of 1/8 up to 2: every precision holds them, and float32 every sum of few thousand products of them. */
    private static final int EIGHTHS = 16;

    private static final int ROWS_OF_SMALL = 70;

    private static final ConvGeometry STRIDED = new ConvGeometry(7, 9, 5, 20, 3, 2, 0, 1);
    private static final ConvGeometry POINTS = ConvGeometry.same(5, 7, 12, 18, 1);

    /** One call of a primitive: what it reads, and the output that it replaces. */
    private record Case(String name, List<Shape> inputs, Shape output, Call call) {
        @Override
        public String toString() {
            return name;
        }
    }

    private interface Call {
        void on(Backend backend, List<Tensor> inputs, Tensor output);
    }

    private static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        int[][] sizes = {{1, 1, 1}, {3, 5, 7}, {33, 49, 65}, {70, 300, 261}, {300, 20, 12}, {130, 36, 64}};
        for (int[] size : sizes) {
            cases.add(matmul(size[0], size[1], size[2], false, false));
            cases.add(matmul(size[0], size[1], size[2], false, true));
            cases.add(matmul(size[0], size[1], size[2], true, false));
            cases.add(matmul(size[0], size[1], size[2], true, true));
            cases.add(weightGradient(3, size[1], size[0], size[2], 1));
        }
        // Enough tiles to fill a device: large and medium ones, and factors that are rounded beforehand.
        cases.add(matmul(17_000, 19, 128, false, false));
        cases.add(matmul(17_000, 20, 60, false, true));
        cases.add(matmul(390, 68, 400, false, false));
        cases.add(matmul(390, 68, 400, false, true));
        cases.add(matmul(390, 68, 400, true, false));
        // Weights of which even few rows are multiplied by warpgroups.
        cases.add(matmul(75, 390, 386, false, false));
        cases.add(matmul(75, 390, 386, false, true));
        // One row for many samples: one product.
        cases.add(weightGradient(21, 5, 24, 12, 21));
        cases.add(weightGradient(23, 3, 4, 40, 10));
        // So many tokens that blocks share a row: parts that are added up.
        cases.add(weightGradient(40, 64, 24, 12, 40));
        cases.add(weightGradient(51, 64, 24, 12, 25));
        cases.add(convWeightGradient(48, ConvGeometry.same(9, 9, 40, 33, 3), 48));
        cases.add(convWeightGradient(49, ConvGeometry.same(12, 12, 3, 12, 3), 24));
        for (ConvGeometry geometry : List.of(
                ConvGeometry.same(1, 1, 3, 5, 3),
                ConvGeometry.same(6, 5, 16, 24, 3),
                ConvGeometry.same(9, 4, 40, 33, 3),
                ConvGeometry.same(4, 5, 72, 130, 3),
                new ConvGeometry(5, 4, 8, 3, 5, 1, 3, 1),
                STRIDED,
                POINTS)) {
            cases.add(conv2d(2, geometry));
            cases.add(conv2dBackwardInput(3, geometry));
            cases.add(convWeightGradient(3, geometry, 1));
            cases.add(convWeightGradient(20, geometry, 20));
        }
        cases.add(conv2d(17, new ConvGeometry(32, 32, 4, 128, 2, 1, 0, 1)));
        return cases;
    }

    private static Case matmul(int m, int k, int n, boolean transposeA, boolean transposeB) {
        Shape a = transposeA ? Shape.of(k, m) : Shape.of(m, k);
        Shape b = transposeB ? Shape.of(n, k) : Shape.of(k, n);
        return new Case(
                "matmul %s%s x %s%s".formatted(a, transposeA ? "T" : "", b, transposeB ? "T" : ""),
                List.of(a, b),
                Shape.of(m, n),
                (backend, in, out) -> backend.matmul(in.get(0), transposeA, in.get(1), transposeB, -0.5f, out, false));
    }

    private static Case weightGradient(int batch, int tokens, int in, int out, int samplesPerRow) {
        return new Case(
                "weightGradient %d x %d x (%d -> %d), %d to a row".formatted(batch, tokens, in, out, samplesPerRow),
                List.of(Shape.of(batch, tokens, in), Shape.of(batch, tokens, out)),
                Shape.of(Math.ceilDiv(batch, samplesPerRow), out * in),
                (backend, inputs, rows) -> backend.weightGradient(
                        inputs.get(0), inputs.get(1), 2, new GradientRows(rows, 0, samplesPerRow, false)));
    }

    private static Case conv2d(int batch, ConvGeometry geometry) {
        return new Case(
                "conv2d " + batch + " x " + geometry,
                List.of(images(batch, geometry), Shape.of(geometry.weightSize()), Shape.of(geometry.outChannels())),
                results(batch, geometry),
                (backend, in, y) -> backend.conv2d(in.get(0), in.get(1), in.get(2), geometry, y));
    }

    private static Case conv2dBackwardInput(int batch, ConvGeometry geometry) {
        return new Case(
                "conv2dBackwardInput " + batch + " x " + geometry,
                List.of(results(batch, geometry), Shape.of(geometry.weightSize())),
                images(batch, geometry),
                (backend, in, dx) -> backend.conv2dBackwardInput(in.get(0), in.get(1), geometry, dx, false));
    }

    private static Case convWeightGradient(int batch, ConvGeometry geometry, int samplesPerRow) {
        return new Case(
                "convWeightGradient " + batch + " x " + geometry + ", " + samplesPerRow + " to a row",
                List.of(images(batch, geometry), results(batch, geometry)),
                Shape.of(Math.ceilDiv(batch, samplesPerRow), geometry.weightSize()),
                (backend, in, rows) -> backend.convWeightGradient(
                        in.get(0), in.get(1), geometry, new GradientRows(rows, 0, samplesPerRow, false)));
    }

    private static Shape images(int batch, ConvGeometry geometry) {
        return Shape.of(batch, geometry.inTokens(), geometry.inChannels());
    }

    private static Shape results(int batch, ConvGeometry geometry) {
        return Shape.of(batch, geometry.outTokens(), geometry.outChannels());
    }

    @TestFactory
    Stream<DynamicTest> factorsThatAreNotRoundedGiveTheBitsOfTheReference() {
        return in(List.of(Precision.values()), (precision, unit) -> backend -> {
            for (Case each : cases()) {
                List<float[]> inputs = inputs(each, TensorCoreTest::eighths);
                float[] expected = onScalar(each, inputs);
                assertArrayEquals(expected, run(backend, each, inputs, 0), each + ", aligned");
                assertArrayEquals(expected, run(backend, each, inputs, 1), each + ", not aligned");
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> otherFactorsAgreeWithinTheirRounding() {
        return in(List.of(Precision.TF32, Precision.BF16), (precision, unit) -> backend -> {
            double largest = 0;
            for (Case each : cases()) {
                List<float[]> inputs = inputs(each, TensorCoreTest::normal);
                float[] expected = onScalar(each, inputs);
                float[] magnitudes = onScalar(
                        each, inputs.stream().map(TensorCoreTest::absolute).toList());
                float[] actual = run(backend, each, inputs, 0);
                assertArrayEquals(actual, run(backend, each, inputs, 1), each + ", with and without a copy");
                for (int i = 0; i < actual.length; i++) {
                    double error = Math.abs(actual[i] - expected[i]) / Math.max(1e-30, Math.abs(magnitudes[i]));
                    largest = Math.max(largest, error);
                    assertTrue(
                            error <= 2.1 * unit,
                            "%s: [%d] is %s, expected %s".formatted(each, i, actual[i], expected[i]));
                }
            }
            assertTrue(largest > unit / 4, "factors were not rounded to " + precision + ": error " + largest);
        });
    }

    @TestFactory
    Stream<DynamicTest> theSizeOfTheBatchChangesNoBit() {
        return in(List.of(Precision.values()), (precision, unit) -> backend -> {
            for (int[] size : new int[][] {{17_000, 37, 128}, {17_000, 20, 60}, {390, 68, 400}, {390, 390, 386}}) {
                for (boolean transposeB : new boolean[] {false, true}) {
                    assertBeginsWith(
                            backend,
                            matmul(size[0], size[1], size[2], false, transposeB),
                            matmul(ROWS_OF_SMALL, size[1], size[2], false, transposeB));
                }
            }
            for (int channels : new int[] {20, 40, 128}) {
                ConvGeometry geometry = new ConvGeometry(32, 32, 4, channels, 2, 1, 0, 1);
                assertBeginsWith(backend, conv2d(17, geometry), conv2d(1, geometry));
            }
        });
    }

    /** Asserts that a call gives the first rows of another call, whose first input begins with the same rows. */
    private static void assertBeginsWith(Backend backend, Case large, Case small) {
        List<float[]> inputs = inputs(large, TensorCoreTest::normal);
        float[] whole = run(backend, large, inputs, 0);
        List<float[]> fewer = new ArrayList<>(inputs);
        fewer.set(0, Arrays.copyOf(inputs.get(0), small.inputs().get(0).size()));
        assertArrayEquals(
                Arrays.copyOf(whole, small.output().size()),
                run(backend, small, fewer, 0),
                large + " and its first rows");
    }

    private interface Check {
        void on(Backend backend);
    }

    /** @param check of the precision and its unit roundoff */
    private static Stream<DynamicTest> in(List<Precision> precisions, BiFunction<Precision, Double, Check> check) {
        return precisions.stream()
                .flatMap(precision -> precision == Precision.BF16
                        ? Stream.of(
                                in(precision, "warps", false, check),
                                in(precision, "warpgroups where the device has them", true, check))
                        : Stream.of(in(precision, "warps", false, check)));
    }

    private static DynamicTest in(
            Precision precision, String by, boolean warpgroups, BiFunction<Precision, Double, Check> check) {
        return DynamicTest.dynamicTest(precision + " by " + by, () -> {
            OnDevice.stream().close();
            double unit = precision == Precision.TF32 ? 0x1p-11 : 0x1p-8;
            String before = System.getProperty(Precision.PROPERTY);
            set(Precision.PROPERTY, precision.suffix());
            try (Backend backend = CudaBackend.open()) {
                ScopedValue.where(Tile.WARPGROUPS, warpgroups)
                        .run(() -> check.apply(precision, unit).on(backend));
            } finally {
                set(Precision.PROPERTY, before);
            }
        });
    }

    private static void set(String property, @Nullable String value) {
        if (value == null) {
            System.clearProperty(property);
        } else {
            System.setProperty(property, value);
        }
    }

    private interface Values {
        float next(SplittableRandom random);
    }

    private static float eighths(SplittableRandom random) {
        return random.nextInt(-EIGHTHS, EIGHTHS + 1) / 8f;
    }

    private static float normal(SplittableRandom random) {
        return (float) random.nextGaussian();
    }

    private static float[] absolute(float[] values) {
        float[] result = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = Math.abs(values[i]);
        }
        return result;
    }

    private static List<float[]> inputs(Case each, Values values) {
        SplittableRandom random = new SplittableRandom(SEED + each.name().hashCode());
        return each.inputs().stream()
                .map(shape -> {
                    float[] input = new float[shape.size()];
                    for (int i = 0; i < input.length; i++) {
                        input[i] = values.next(random);
                    }
                    return input;
                })
                .toList();
    }

    private static float[] onScalar(Case each, List<float[]> inputs) {
        try (Backend scalar = new ScalarBackend()) {
            return run(scalar, each, inputs, 0);
        }
    }

    /** The output of a call whose tensors begin {@code offset} elements behind an aligned address. */
    private static float[] run(Backend backend, Case each, List<float[]> inputs, int offset) {
        List<Tensor> tensors = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            Tensor tensor = place(backend, each.inputs().get(i), offset);
            backend.upload(inputs.get(i), 0, tensor);
            tensors.add(tensor);
        }
        Tensor output = place(backend, each.output(), offset);
        backend.fill(output, Float.NaN);
        each.call().on(backend, tensors, output);
        float[] result = new float[output.size()];
        backend.download(output, result, 0);
        return result;
    }

    private static Tensor place(Backend backend, Shape shape, int offset) {
        Tensor memory = backend.allocate(Shape.of(shape.size() + offset));
        return new Tensor(shape, memory.storage(), memory.offset() + offset);
    }
}
