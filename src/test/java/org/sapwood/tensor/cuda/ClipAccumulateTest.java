package org.sapwood.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.sapwood.privacy.aggregation.GradientGrid;
import org.sapwood.privacy.clipping.AutomaticClipping;
import org.sapwood.privacy.clipping.ClippingRule;
import org.sapwood.privacy.clipping.FlatClipping;
import org.sapwood.privacy.clipping.LayerWiseClipping;
import org.sapwood.tensor.ClipPlan;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/** The kernels of {@code kernels/clip_accumulate.cu} one by one, against the grid that defines their bits. */
class ClipAccumulateTest {
    private static final double[] SQUARED_NORMS = {
        0,
        Double.MIN_VALUE,
        1e-300,
        0x1p-280,
        1e-30,
        0.49,
        0.4899,
        Math.nextUp(0.49),
        1,
        3,
        1e10,
        1e60,
        1e300,
        Double.MAX_VALUE,
        Double.POSITIVE_INFINITY,
        Double.NaN,
        -1
    };

    /** Multipliers of the device, given squared norms by row and group. */
    private static double[] multipliers(CudaStream stream, ClipPlan plan, double[][] squaredNorms, int count) {
        int rows = squaredNorms.length;
        int groups = plan.groups().size();
        double[] flat = new double[rows * groups];
        float[] weights = new float[groups];
        for (int g = 0; g < groups; g++) {
            weights[g] = plan.groups().get(g).weight();
            for (int row = 0; row < rows; row++) {
                flat[row * groups + g] = squaredNorms[row][g];
            }
        }
        long multipliers = OnDevice.doubles(stream, new double[rows * groups]);
        stream.kernel("clip_accumulate", "clip_accumulate_scales")
                .address(OnDevice.doubles(stream, flat))
                .address(OnDevice.ints(stream, IntStream.rangeClosed(0, groups).toArray()))
                .address(OnDevice.floats(stream, weights))
                .address(OnDevice.doubles(
                        stream,
                        plan.bounds().stream().mapToDouble(Double::doubleValue).toArray()))
                .i32(groups)
                .i32(CudaClipping.code(plan.rule()))
                .f64(plan.gamma())
                .f64(plan.inflation())
                .f64(plan.step())
                .address(OnDevice.ints(stream, count))
                .address(OnDevice.doubles(stream, flat))
                .address(multipliers)
                .blocks(rows, 256);
        return OnDevice.readDoubles(stream, multipliers, rows * groups);
    }

    private static ClipPlan plan(GradientGrid grid, int groups) {
        List<ClipPlan.Group> list = new ArrayList<>();
        for (int g = 0; g < groups; g++) {
            list.add(new ClipPlan.Group(g * 10, 10, g % 3 == 1 ? 16 : 1));
        }
        return grid.plan(list);
    }

    @Test
    void scalesAreThoseOfEveryRuleToTheBit() {
        SplittableRandom random = new SplittableRandom(1);
        try (CudaStream stream = OnDevice.stream()) {
            for (int groups : new int[] {1, 2, 3, 40}) {
                double[] bounds = random.doubles(groups, 0.01, 2).toArray();
                List<ClippingRule> rules = List.of(
                        new FlatClipping(0.7),
                        new FlatClipping(2e-20),
                        new FlatClipping(1e20),
                        new AutomaticClipping(0.7, 0.01),
                        new AutomaticClipping(1e20, 1e-12),
                        new LayerWiseClipping(bounds));
                double[][] norms = new double[SQUARED_NORMS.length + 60][groups];
                for (int row = 0; row < norms.length; row++) {
                    for (int g = 0; g < groups; g++) {
                        norms[row][g] = row < SQUARED_NORMS.length
                                ? g == groups - 1 ? SQUARED_NORMS[row] : 0.01
                                : Math.exp(random.nextDouble(-20, 20));
                    }
                }
                for (ClippingRule rule : rules) {
                    GradientGrid grid = new GradientGrid(rule, 1000 * groups);
                    ClipPlan plan = plan(grid, groups);
                    double[] actual = multipliers(stream, plan, norms, norms.length);
                    for (int row = 0; row < norms.length; row++) {
                        double[] ofRow = new double[groups];
                        float[] scales = new float[groups];
                        for (int g = 0; g < groups; g++) {
                            float weight = plan.groups().get(g).weight();
                            ofRow[g] = norms[row][g] * weight * weight;
                        }
                        grid.scales(ofRow, scales);
                        for (int g = 0; g < groups; g++) {
                            double expected = scales[g] * plan.groups().get(g).weight();
                            assertEquals(expected, actual[row * groups + g], rule + ", norms of row " + row);
                        }
                    }
                }
            }
        }
    }

    @Test
    void rowsBeyondTheCountGetNoScale() {
        try (CudaStream stream = OnDevice.stream()) {
            GradientGrid grid = new GradientGrid(new FlatClipping(1), 10);
            double[] actual = multipliers(stream, plan(grid, 1), new double[][] {{1}, {1}, {1}}, 2);
            assertEquals(actual[0], actual[1]);
            assertEquals(0, actual[2]);
        }
    }

    private record Rows(float[] values, int rows, int width, double[] multipliers) {
        /** Rows with every kind of value: ties, the largest products that a grid takes, and zeros. */
        static Rows random(int rows, int width, long seed) {
            SplittableRandom random = new SplittableRandom(seed);
            float[] values = new float[rows * width];
            double[] multipliers = new double[rows];
            for (int row = 0; row < rows; row++) {
                multipliers[row] = row % 5 == 4 ? 0 : row % 5 == 3 ? 1 : (float) random.nextDouble(1e4, 1e7);
                for (int j = 0; j < width; j++) {
                    double limit = 0x1.fp50 / multipliers[row];
                    values[row * width + j] = switch (random.nextInt(4)) {
                        case 0 -> (float) ((random.nextInt(2001) - 1000.5) / multipliers[row]);
                        case 1 -> (float) Math.min(0x1p100, random.nextBoolean() ? limit : -limit);
                        default -> (float) random.nextGaussian();
                    };
                    if (multipliers[row] == 0) {
                        values[row * width + j] = random.nextBoolean() ? Float.NaN : Float.NEGATIVE_INFINITY;
                    }
                }
            }
            return new Rows(values, rows, width, multipliers);
        }
    }

    private static long[] gridSums(CudaStream stream, Rows rows, int count, long[] start, int rowsPerPart) {
        long sums = OnDevice.longs(stream, start);
        int[] tiles = tiles(rows.width);
        stream.kernel("clip_accumulate", "clip_accumulate_grid")
                .address(OnDevice.floats(stream, rows.values))
                .i64(rows.width)
                .address(OnDevice.ints(stream, count))
                .address(OnDevice.ints(stream, tiles))
                .address(OnDevice.doubles(stream, rows.multipliers))
                .i32(1)
                .i32(rowsPerPart)
                .address(sums)
                .grid(tiles.length / 3, Math.ceilDiv(rows.rows, rowsPerPart), 1, 256, 0);
        return OnDevice.readLongs(stream, sums, rows.width);
    }

    private static int[] tiles(int width) {
        return IntStream.range(0, Math.ceilDiv(width, 1024))
                .flatMap(i -> IntStream.of(1024 * i, Math.min(1024, width - 1024 * i), 0))
                .toArray();
    }

    @Test
    void gridSumsAreExactForAnyDivisionOfTheRows() {
        SplittableRandom random = new SplittableRandom(4);
        try (CudaStream stream = OnDevice.stream()) {
            for (int width : new int[] {1, 7, 256, 1025, 2051}) {
                Rows rows = Rows.random(11, width, width);
                long[] start = random.longs(width).toArray();
                for (int count : new int[] {0, 1, 4, 10, 11}) {
                    long[] expected = start.clone();
                    for (int row = 0; row < count; row++) {
                        GradientGrid.accumulate(
                                rows.values, row * width, width, (float) rows.multipliers[row], expected, 0);
                    }
                    for (int rowsPerPart : new int[] {1, 3, 4, 11}) {
                        long[] actual = gridSums(stream, rows, count, start, rowsPerPart);
                        assertArrayEquals(expected, actual, width + " columns, " + count + " rows");
                    }
                }
            }
        }
    }

    @Test
    void floatSumsAddRowsInAscendingOrder() {
        try (CudaStream stream = OnDevice.stream()) {
            int width = 1030;
            Rows rows = Rows.random(9, width, 5);
            int[] tiles = tiles(width);
            long sums = OnDevice.floats(stream, new float[width]);
            float[] expected = new float[width];
            for (boolean accumulate : new boolean[] {false, true}) {
                stream.kernel("clip_accumulate", "clip_accumulate_fp32")
                        .address(OnDevice.floats(stream, rows.values))
                        .i64(width)
                        .address(OnDevice.ints(stream, 8))
                        .address(OnDevice.ints(stream, tiles))
                        .address(OnDevice.doubles(stream, rows.multipliers))
                        .i32(1)
                        .flag(accumulate)
                        .address(sums)
                        .blocks(tiles.length / 3, 256);
                for (int j = 0; j < width; j++) {
                    float total = 0;
                    for (int row = 0; row < 8; row++) {
                        if (rows.multipliers[row] != 0) {
                            total = Math.fma(rows.values[row * width + j], (float) rows.multipliers[row], total);
                        }
                    }
                    expected[j] = accumulate ? expected[j] + total : total;
                }
                assertArrayEquals(expected, OnDevice.readFloats(stream, sums, width));
            }
        }
    }

    /** A norm is the same bits wherever its row stands, whatever the alignment and whatever surrounds it. */
    @Test
    void normsDependOnTheirColumnsOnly() {
        try (CudaStream stream = OnDevice.stream()) {
            int length = 2 * CudaClipping.CHUNK + 4099;
            float[] values = new float[length];
            SplittableRandom random = new SplittableRandom(6);
            for (int i = 0; i < length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            double[] alone = new double[1];
            CudaPrivateGradients.squaredNorms(stream, Tensor.of(values, 1, length), 0, length, alone);
            for (int shift = 1; shift < 4; shift++) {
                int width = length + 2 * shift;
                DeviceStorage storage = stream.allocate(3 * width);
                stream.fill(storage.address(), Float.floatToRawIntBits(Float.NaN), 12L * width);
                stream.staging().upload(values, 0, length, storage.address() + 4L * (width + shift));
                double[] out = new double[3];
                Tensor matrix = new Tensor(Shape.of(3, width), storage, 0);
                CudaPrivateGradients.squaredNorms(stream, matrix, shift, length, out);
                assertEquals(alone[0], out[1]);
            }
        }
    }
}
