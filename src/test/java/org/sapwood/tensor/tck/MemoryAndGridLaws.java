package org.sapwood.tensor.tck;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.function.Executable;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/** Laws of the primitives that do not map tensors to tensors: memory, norms, and the integer grid. */
final class MemoryAndGridLaws {
    private static final long SEED = 5;

    private static final int[] LENGTHS = {0, 1, 7, 15, 16, 17, 33, 65, 207, 1025, 5000};

    private MemoryAndGridLaws() {}

    static Stream<DynamicNode> tests(BackendChoice choice) {
        return Stream.of(
                test("memory is zero at first, and copies are exact", choice, MemoryAndGridLaws::memory),
                test("fill stays inside its tensor", choice, MemoryAndGridLaws::fill),
                test("squaredNorms to 1e-12", choice, MemoryAndGridLaws::squaredNorms),
                test("squaredNorms of a row do not depend on other rows", choice, MemoryAndGridLaws::normsOfOneRow),
                test("squaredNorms show non-finite rows", choice, MemoryAndGridLaws::nonFiniteNorms),
                test("accumulateOnGrid rounds exactly", choice, MemoryAndGridLaws::grid));
    }

    private interface Check {
        void accept(Backend backend) throws Exception;
    }

    private static DynamicNode test(String name, BackendChoice choice, Check check) {
        Executable executable = () -> {
            try (Backend backend = choice.open()) {
                check.accept(backend);
            }
        };
        return dynamicTest(name, executable);
    }

    /** A tensor of the given rows, at an odd offset of the backend's memory. */
    private static Tensor place(Backend backend, float[] values, int... extents) {
        Tensor whole = backend.allocate(Shape.of(values.length + 20));
        Tensor tensor = new Tensor(Shape.of(extents), whole.storage(), whole.offset() + 7);
        backend.upload(values, 0, tensor);
        return tensor;
    }

    private static float[] normal(Random random, int length, double spread) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) (random.nextGaussian() * spread);
        }
        return values;
    }

    private static void memory(Backend backend) {
        Tensor whole = backend.allocate(Shape.of(40));
        float[] out = new float[40];
        Arrays.fill(out, 9);
        backend.download(whole, out, 0);
        assertArrayEquals(new float[40], out, "a new tensor holds zeros");

        float[] source = {1, -2, Float.NaN, Float.MIN_VALUE, Float.POSITIVE_INFINITY, -0f, 7};
        Tensor part = new Tensor(Shape.of(5), whole.storage(), whole.offset() + 3);
        backend.upload(source, 1, part);
        backend.download(whole, out, 0);
        float[] expected = new float[40];
        System.arraycopy(source, 1, expected, 3, 5);
        assertArrayEquals(expected, out);

        float[] shifted = new float[9];
        backend.download(part, shifted, 4);
        assertArrayEquals(
                new float[] {0, 0, 0, 0, -2, Float.NaN, Float.MIN_VALUE, Float.POSITIVE_INFINITY, -0f}, shifted);
    }

    private static void fill(Backend backend) {
        for (int length : LENGTHS) {
            Tensor whole = backend.allocate(Shape.of(length + 40));
            backend.fill(new Tensor(Shape.of(length), whole.storage(), whole.offset() + 5), 3.5f);
            float[] expected = new float[length + 40];
            Arrays.fill(expected, 5, 5 + length, 3.5f);
            float[] actual = new float[length + 40];
            backend.download(whole, actual, 0);
            assertArrayEquals(expected, actual);
        }
    }

    private static void squaredNorms(Backend backend) {
        Random random = new Random(SEED);
        for (int length : LENGTHS) {
            for (double spread : new double[] {1, 1e-20, 1e18}) {
                int stride = length + 9;
                float[] values = normal(random, 3 * stride, spread);
                double[] out = {-1, -1, -1, -1};
                backend.squaredNorms(place(backend, values, 3, stride), 4, length, out);
                for (int row = 0; row < 3; row++) {
                    BigDecimal sum = BigDecimal.ZERO;
                    for (int j = 0; j < length; j++) {
                        BigDecimal value = new BigDecimal(values[row * stride + 4 + j]);
                        sum = sum.add(value.multiply(value));
                    }
                    double expected = sum.doubleValue();
                    assertEquals(expected, out[row], 1e-12 * expected, "length " + length + " spread " + spread);
                }
                assertEquals(-1, out[3], "only the rows of the matrix are written");
            }
        }
    }

    private static void normsOfOneRow(Backend backend) {
        float[] values = normal(new Random(SEED), 5 * 207, 1);
        double[] together = new double[5];
        backend.squaredNorms(place(backend, values, 5, 207), 0, 207, together);
        for (int row = 0; row < 5; row++) {
            double[] alone = new double[1];
            backend.squaredNorms(
                    place(backend, Arrays.copyOfRange(values, row * 207, (row + 1) * 207), 1, 207), 0, 207, alone);
            assertEquals(Double.doubleToLongBits(alone[0]), Double.doubleToLongBits(together[row]));
        }
    }

    private static void nonFiniteNorms(Backend backend) {
        float[] values = normal(new Random(SEED), 4 * 65, 1);
        values[64] = Float.NaN;
        values[2 * 65 + 3] = Float.NEGATIVE_INFINITY;
        double[] out = new double[4];
        backend.squaredNorms(place(backend, values, 4, 65), 0, 65, out);
        assertTrue(Double.isNaN(out[0]), "a NaN gives NaN");
        assertTrue(Double.isFinite(out[1]), "other rows are unharmed");
        assertEquals(Double.POSITIVE_INFINITY, out[2]);
        assertTrue(Double.isFinite(out[3]), "other rows are unharmed");
    }

    /** Rows in all numbers, since a backend may take several at once; some have scale 0 and hold NaN. */
    private static void grid(Backend backend) {
        Random random = new Random(SEED);
        float[] multipliers = {1, 0x1p20f, 12345.678f, 1e-3f, 0x1p49f, 3.0e14f};
        for (int length : LENGTHS) {
            for (int rows = 1; rows <= 6; rows++) {
                int stride = length + 6;
                float[] scales = new float[rows];
                float[] values = normal(random, rows * stride, 1);
                long[] sums = new long[stride];
                for (int j = 0; j < stride; j++) {
                    sums[j] = random.nextLong() >> 2;
                }
                long[] expected = sums.clone();
                for (int row = 0; row < rows; row++) {
                    scales[row] = row == 2 ? 0 : multipliers[random.nextInt(multipliers.length)];
                    for (int j = 0; j < stride; j++) {
                        int at = row * stride + j;
                        values[at] = row == 2 ? Float.NaN : onOrBesideATie(random, values[at], scales[row]);
                        if (row != 2 && j >= 2 && j < 2 + length) {
                            expected[j] += new BigDecimal((double) values[at] * scales[row])
                                    .setScale(0, RoundingMode.HALF_EVEN)
                                    .longValueExact();
                        }
                    }
                }
                backend.accumulateOnGrid(place(backend, values, rows, stride), 2, length, scales, sums, 2);
                assertArrayEquals(expected, sums, "length " + length + " scales " + Arrays.toString(scales));
            }
        }
    }

    /** A tie, which a rounding mode other than half-even gets wrong, one just beside, or the value as it was. */
    private static float onOrBesideATie(Random random, float value, float scale) {
        float tie = (float) ((random.nextInt(2001) - 1000 + 0.5) / scale);
        float changed = switch (random.nextInt(3)) {
            case 0 -> tie;
            case 1 -> Math.nextUp(tie);
            default -> value;
        };
        return (float) Math.clamp(changed, -0x1p51 / scale * 0.999, 0x1p51 / scale * 0.999);
    }
}
