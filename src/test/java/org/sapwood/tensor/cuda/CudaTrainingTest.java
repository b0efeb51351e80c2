package org.sapwood.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.sapwood.autograd.Adam;
import org.sapwood.diffusion.Ema;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.aggregation.BoundedSum;
import org.sapwood.privacy.aggregation.DeviceBoundedSum;
import org.sapwood.privacy.aggregation.GradientGrid;
import org.sapwood.privacy.aggregation.NoisedSum;
import org.sapwood.privacy.clipping.AutomaticClipping;
import org.sapwood.privacy.clipping.ClippingRule;
import org.sapwood.privacy.clipping.FlatClipping;
import org.sapwood.privacy.clipping.LayerWiseClipping;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.random.RandomSource;
import org.sapwood.privacy.random.RandomSource.Purpose;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.tensor.AdamStep;
import org.sapwood.tensor.ClipPlan;
import org.sapwood.tensor.DeviceTraining.Noise;
import org.sapwood.tensor.DeviceTraining.Vector;
import org.sapwood.tensor.HeapStorage;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/** Training on the device against the classes of the host that define its bits. */
class CudaTrainingTest {
    private static final int[] SIZES = {1500, 1, 3103, 17};
    private static final int TOTAL = 4621;
    private static final int ROWS = 7;

    /** Weights with a learning rate of their own, which begin and end inside of a group of eight. */
    private static final int OWN_FROM = 1501;

    private static final int OWN_TO = 1650;

    private static List<Tensor> weights() {
        SplittableRandom random = new SplittableRandom(2);
        List<Tensor> weights = new ArrayList<>();
        for (int size : SIZES) {
            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
                values[i] = (float) random.nextGaussian();
            }
            weights.add(Tensor.of(values, size));
        }
        return weights;
    }

    private static float[] flat(List<Tensor> weights) {
        float[] flat = new float[TOTAL];
        int at = 0;
        for (Tensor weight : weights) {
            System.arraycopy(weight.array(), 0, flat, at, weight.size());
            at += weight.size();
        }
        return flat;
    }

    private static List<ClipPlan.Group> groups() {
        List<ClipPlan.Group> groups = new ArrayList<>();
        int from = 0;
        for (int size : SIZES) {
            groups.add(new ClipPlan.Group(from, size, from == 1500 ? 64 : 1));
            from += size;
        }
        return groups;
    }

    private static float[] rows(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] rows = new float[ROWS * TOTAL];
        for (int row = 0; row < ROWS; row++) {
            double size = Math.exp(random.nextDouble(-12, 3));
            for (int j = 0; j < TOTAL; j++) {
                rows[row * TOTAL + j] = (float) (size * random.nextGaussian());
            }
        }
        return rows;
    }

    private static Tensor upload(CudaStream stream, float[] rows) {
        // One element late, so that no row is aligned.
        DeviceStorage storage = stream.allocate(rows.length + 1);
        Tensor tensor = new Tensor(Shape.of(rows.length / TOTAL, TOTAL), storage, 1);
        stream.staging().upload(rows, 0, rows.length, stream.address(tensor));
        return tensor;
    }

    private static float[] read(CudaTraining training, Vector vector) {
        float[] values = new float[TOTAL];
        training.read(vector, values);
        return values;
    }

    private static long[] sums(CudaTraining training) {
        long[] sums = new long[TOTAL];
        training.readSums(sums);
        return sums;
    }

    /** What the host adds for the first rows, by the norms of the device. */
    private static void accumulate(
            CudaStream stream, GradientGrid grid, Tensor onDevice, float[] rows, int count, BoundedSum sum) {
        List<ClipPlan.Group> groups = groups();
        double[][] norms = new double[groups.size()][ROWS];
        for (int g = 0; g < groups.size(); g++) {
            ClipPlan.Group group = groups.get(g);
            CudaPrivateGradients.squaredNorms(stream, onDevice, group.from(), group.length(), norms[g]);
        }
        for (int row = 0; row < count; row++) {
            double[] ofRow = new double[groups.size()];
            float[] scales = new float[groups.size()];
            for (int g = 0; g < groups.size(); g++) {
                float weight = groups.get(g).weight();
                ofRow[g] = norms[g][row] * weight * weight;
            }
            grid.scales(ofRow, scales);
            for (int g = 0; g < groups.size(); g++) {
                ClipPlan.Group group = groups.get(g);
                sum.add(rows, row * TOTAL + group.from(), group.length(), scales[g] * group.weight(), group.from());
            }
        }
    }

    private static Ledger ledger(GradientGrid grid, int steps) {
        return Ledger.inMemory(
                List.of(new PrivacyEvent("training", 0.1, 1.5, grid.sensitivity(), steps)),
                1e-5,
                "seeded, not private");
    }

    private static void trainPrivately(ClippingRule rule) {
        GradientGrid grid = new GradientGrid(rule, TOTAL);
        ExpectedBatchSize batch = new ExpectedBatchSize(6);
        List<Tensor> weights = weights();
        float[] hostWeights = flat(weights);
        Adam hostAdam = new Adam(TOTAL, 0.9, 0.99, 1e-8, 0.01);
        Adam deviceAdam = new Adam(TOTAL, 0.9, 0.99, 1e-8, 0.01);
        Ema hostEma = new Ema(hostWeights, 0.99, true);
        Ema deviceEma = new Ema(hostWeights, 0.99, true);
        RandomSource hostNoise = RandomSource.seeded(5, 0);
        RandomSource deviceNoise = RandomSource.seeded(5, 0);
        Ledger hostLedger = ledger(grid, 3);
        Ledger deviceLedger = ledger(grid, 3);
        try (CudaStream stream = OnDevice.stream();
                WorkerPool alone = new WorkerPool(1);
                CudaTraining training = new CudaTraining(stream, weights, grid.plan(groups()))) {
            DeviceBoundedSum deviceSum = new DeviceBoundedSum(grid.sumGrid(), training);
            BoundedSum hostSum = new BoundedSum(grid.sumGrid());
            for (int step = 0; step < 3; step++) {
                float[] first = rows(10 + step);
                float[] second = rows(20 + step);
                first[2 * TOTAL + 1500] = Float.NaN;
                second[5] = Float.NEGATIVE_INFINITY;
                Tensor firstRows = upload(stream, first);
                Tensor secondRows = upload(stream, second);
                training.accumulate(firstRows, ROWS);
                training.setCount(4 - step);
                training.accumulate(secondRows);
                accumulate(stream, grid, firstRows, first, ROWS, hostSum);
                accumulate(stream, grid, secondRows, second, 4 - step, hostSum);
                assertArrayEquals(hostSum.units(), sums(training), "sums of step " + step);

                NoisedSum noised =
                        hostSum.noised(hostLedger.charge("training"), hostNoise.gaussian(Purpose.NOISE), alone);
                float[] mean = new float[TOTAL];
                noised.meanOver(batch, mean);
                double rate = 0.01 / (1 + step);
                hostAdam.update(hostWeights, mean, hostAdam.advance(rate, OWN_FROM, OWN_TO, 8 * rate), 0, TOTAL);
                hostEma.update(hostWeights);
                AdamStep constants = deviceAdam.advance(rate, OWN_FROM, OWN_TO, 8 * rate);
                deviceSum.release(
                        deviceLedger.charge("training"),
                        deviceNoise.gaussian(Purpose.NOISE),
                        batch,
                        constants,
                        deviceEma.advance());
                double norm =
                        Math.sqrt(Arrays.stream(noised.values()).map(v -> v * v).sum()) / batch.examples();
                assertEquals(norm, training.releasedNorm(), 1e-12 * norm);
                hostSum = noised.recycle();

                assertArrayEquals(hostWeights, read(training, Vector.WEIGHTS), "weights of step " + step);
                assertArrayEquals(hostAdam.firstMoment(), read(training, Vector.FIRST_MOMENT));
                assertArrayEquals(hostAdam.secondMoment(), read(training, Vector.SECOND_MOMENT));
                assertArrayEquals(hostEma.values(), read(training, Vector.AVERAGED));
                assertArrayEquals(new long[TOTAL], sums(training), "a release leaves no sum");
            }
        }
    }

    @Test
    void privateStepsAreThoseOfTheHostToTheBit() {
        trainPrivately(new FlatClipping(0.5));
    }

    @Test
    void soTheyAreForTheOtherRules() {
        trainPrivately(new AutomaticClipping(0.5, 0.01));
        trainPrivately(new LayerWiseClipping(0.5, 0.01, 0.3, 0.2));
    }

    @Test
    void publicStepsAreThoseOfTheHostToTheBit() {
        List<Tensor> weights = weights();
        float[] hostWeights = flat(weights);
        Adam adam = new Adam(TOTAL, 0.9, 0.999, 1e-8, 0.1);
        Adam counter = new Adam(TOTAL, 0.9, 0.999, 1e-8, 0.1);
        Ema ema = new Ema(hostWeights, 0.999, false);
        try (CudaStream stream = OnDevice.stream();
                CudaTraining training = new CudaTraining(stream, weights, null)) {
            for (int step = 0; step < 3; step++) {
                float[] sum = new float[TOTAL];
                System.arraycopy(rows(step), 0, sum, 0, TOTAL);
                float factor = 1f / 3;
                training.update(
                        upload(stream, sum), factor, counter.advance(1e-3, OWN_FROM, OWN_TO, 2e-3), ema.advance());
                double share = 1 - 0.999;
                float[] average = ema.values();
                for (int j = 0; j < TOTAL; j++) {
                    sum[j] *= factor;
                }
                adam.update(hostWeights, sum, adam.advance(1e-3, OWN_FROM, OWN_TO, 2e-3), 0, TOTAL);
                for (int j = 0; j < TOTAL; j++) {
                    average[j] += (float) (share * (hostWeights[j] - average[j]));
                }
                assertArrayEquals(hostWeights, read(training, Vector.WEIGHTS), "step " + step);
                assertArrayEquals(average, read(training, Vector.AVERAGED));
            }
            assertArrayEquals(adam.secondMoment(), read(training, Vector.SECOND_MOMENT));
            IllegalStateException none =
                    assertThrows(IllegalStateException.class, () -> training.accumulate(Tensor.zeros(1, TOTAL), 1));
            assertEquals("this training has no plan for clipping, so there are no sums", none.getMessage());
        }
    }

    /** What a kernel that is given the weight of a layer reads is the trained weight. */
    @Test
    void otherKernelsReadTheTrainedWeights() {
        List<Tensor> weights = weights();
        try (CudaStream stream = OnDevice.stream();
                CudaTraining training = new CudaTraining(stream, weights, null)) {
            float[] gradient = new float[TOTAL];
            Arrays.fill(gradient, 1);
            AdamStep step = new Adam(TOTAL).advance(0.5, 0, 0, 0);
            training.update(upload(stream, gradient), 1, step, 1);
            float[] third = OnDevice.readFloats(stream, stream.address(weights.get(2)), SIZES[2]);
            assertEquals(weights.get(2).array()[5] - 0.5f, third[5], 1e-5);
            assertEquals(read(training, Vector.WEIGHTS)[1501 + 5], third[5]);
        }
    }

    @Test
    void aRecordedSequenceTakesTheCountOfItsRun() {
        GradientGrid grid = new GradientGrid(new FlatClipping(1), TOTAL);
        try (CudaStream stream = OnDevice.stream();
                CudaTraining training = new CudaTraining(stream, weights(), grid.plan(groups()))) {
            float[] values = rows(3);
            Tensor rows = upload(stream, values);
            Runnable recorded = stream.record(() -> training.accumulate(rows));
            BoundedSum expected = new BoundedSum(grid.sumGrid());
            for (int count : new int[] {2, 5, 0, ROWS}) {
                training.setCount(count);
                recorded.run();
                // A count given in between is that call's alone.
                training.accumulate(rows, 1);
                accumulate(stream, grid, rows, values, count, expected);
                accumulate(stream, grid, rows, values, 1, expected);
                assertArrayEquals(expected.units(), sums(training), count + " rows");
            }
        }
    }

    @Test
    void aNonFiniteRowContributesExactlyNothing() {
        GradientGrid grid = new GradientGrid(new FlatClipping(1), TOTAL);
        try (CudaStream stream = OnDevice.stream();
                CudaTraining training = new CudaTraining(stream, weights(), grid.plan(groups()))) {
            for (float poison : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                float[] values = rows(4);
                for (int row = 0; row < ROWS; row++) {
                    values[row * TOTAL + 700 * row] = poison;
                }
                training.accumulate(upload(stream, values), ROWS);
                assertArrayEquals(new long[TOTAL], sums(training));
            }
        }
    }

    @Test
    void anEmptyBatchIsNoise() {
        GradientGrid grid = new GradientGrid(new FlatClipping(1), TOTAL);
        try (CudaStream stream = OnDevice.stream();
                CudaTraining training = new CudaTraining(stream, weights(), grid.plan(groups()))) {
            training.accumulate(upload(stream, rows(1)), 0);
            Noise noise = RandomSource.seeded(1, 1).gaussian(Purpose.NOISE).handOver(1e6);
            training.release(noise, 1, new Adam(TOTAL).advance(1e-3, 0, 0, 0), 0.1);
            double expected = 1e6 * Math.sqrt(TOTAL);
            assertEquals(expected, training.releasedNorm(), 0.1 * expected);
        }
    }

    @Test
    void vectorsAreWrittenAndRead() {
        try (CudaStream stream = OnDevice.stream();
                CudaTraining training = new CudaTraining(stream, weights(), null)) {
            assertArrayEquals(flat(weights()), read(training, Vector.AVERAGED), "the average starts at the weights");
            assertArrayEquals(new float[TOTAL], read(training, Vector.SECOND_MOMENT));
            for (Vector vector : Vector.values()) {
                float[] values = new float[TOTAL];
                Arrays.fill(values, vector.name().length());
                training.write(vector, values);
            }
            for (Vector vector : Vector.values()) {
                assertEquals(vector.name().length(), read(training, vector)[TOTAL - 1], vector.name());
            }
        }
    }

    @Test
    void weightsMustOwnTheirStorage() {
        try (CudaStream stream = OnDevice.stream()) {
            HeapStorage shared = new HeapStorage(new float[10]);
            List<Tensor> parts = List.of(new Tensor(Shape.of(5), shared, 0), new Tensor(Shape.of(5), shared, 5));
            assertThrows(IllegalArgumentException.class, () -> new CudaTraining(stream, parts, null));
            ClipPlan other = new GradientGrid(new FlatClipping(1), 9).plan(List.of(new ClipPlan.Group(0, 9, 1)));
            List<Tensor> ten = List.of(Tensor.zeros(10));
            assertThrows(IllegalArgumentException.class, () -> new CudaTraining(stream, ten, other));
        }
    }

    @Test
    void theNoiseKeyIsNotShown() {
        Noise noise = new Noise(new int[] {1234567, 2, 3, 4, 5, 6, 7, 8}, new int[3], 1);
        assertEquals("Noise[deviation=1.0]", noise.toString());
    }
}
