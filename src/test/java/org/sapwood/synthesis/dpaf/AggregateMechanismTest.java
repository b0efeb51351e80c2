package org.sapwood.synthesis.dpaf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.commons.rng.core.source64.XoShiRo256PlusPlus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sapwood.autograd.Parameter;
import org.sapwood.data.ImageSet;
import org.sapwood.nn.GanConfig;
import org.sapwood.nn.GanFeatures;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.aggregation.GradientGrid;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.random.RandomSource;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.privacy.sampling.PoissonSampler;
import org.sapwood.tensor.Backends;

/** The aggregates as executed: what one image changes in the exact sum, and what the noise and the divisor are. */
class AggregateMechanismTest {
    private static final GanConfig CONFIG = TinyGans.config();
    private static final int LENGTH = CONFIG.featureLength();

    private static RandomSource seeded() {
        return RandomSource.seeded(5, 0);
    }

    private static GanFeatures features(float weightScale) {
        GanFeatures features = new GanFeatures(CONFIG);
        features.initialize(new XoShiRo256PlusPlus(new long[] {17, 18, 19, 20}));
        for (Parameter parameter : features.parameters().all()) {
            for (int i = 0; i < parameter.size(); i++) {
                parameter.value().array()[parameter.value().offset() + i] *= weightScale;
            }
        }
        return features;
    }

    /** A mechanism that takes every image, with a divisor of its own. */
    private static <T> T with(ImageSet images, GanFeatures features, int batch, int threads, Use<T> use) {
        try (WorkerPool pool = new WorkerPool(threads);
                FeatureEngine engine = new FeatureEngine(CONFIG, features, Backends.choose(), pool)) {
            PoissonSampler everyone =
                    new PoissonSampler(images.size(), 1, seeded().uniform(RandomSource.Purpose.SAMPLING));
            return use.with(
                    new AggregateMechanism(CONFIG, images, engine, everyone, new ExpectedBatchSize(batch), pool));
        }
    }

    private interface Use<T> {
        T with(AggregateMechanism mechanism);
    }

    private static int[] all(ImageSet images) {
        return IntStream.range(0, images.size()).toArray();
    }

    private static long[] sum(ImageSet images, GanFeatures features, int threads, int[] examples) {
        return with(images, features, 1, threads, m -> m.sum(examples).units().clone());
    }

    private static Ledger ledger(double noiseMultiplier, int steps) {
        double sensitivity = AggregateMechanism.grid(CONFIG).sensitivity();
        return Ledger.inMemory(
                List.of(new PrivacyEvent(AggregateMechanism.EVENT, 0.5, noiseMultiplier, sensitivity, steps)),
                1e-3,
                "seeded, not private");
    }

    /** Exact squared norm of the difference of two sums, against the exact square of a bound. */
    private static void requireWithin(double bound, double step, long[] a, long[] b) {
        BigInteger squares = BigInteger.ZERO;
        for (int i = 0; i < a.length; i++) {
            BigInteger difference = BigInteger.valueOf(a[i] - b[i]);
            squares = squares.add(difference.multiply(difference));
        }
        // The step is a power of two, so the quotient is exact.
        BigDecimal units = new BigDecimal(bound / step);
        assertTrue(new BigDecimal(squares).compareTo(units.multiply(units)) <= 0, () -> "moved the sum");
    }

    @ParameterizedTest
    @ValueSource(floats = {1e-20f, 1e-3f, 1f, 1e4f, 1e15f})
    void noImageMovesTheSumByMoreThanTheSensitivity(float weightScale) {
        GradientGrid grid = AggregateMechanism.grid(CONFIG);
        assertEquals(Math.sqrt(5) * 2, grid.sensitivity());
        ImageSet images = TinyGans.adversarial();
        GanFeatures features = features(weightScale);
        long[] everyone = sum(images, features, 1, all(images));
        for (int left = 0; left < images.size(); left++) {
            int without = left;
            int[] others =
                    IntStream.range(0, images.size()).filter(i -> i != without).toArray();
            long[] rest = sum(images, features, 1, others);
            requireWithin(grid.sensitivity(), grid.sumGrid().step(), everyone, rest);
            for (int j = 0; j < rest.length; j++) {
                assertTrue(j / LENGTH == images.label(left) || rest[j] == everyone[j], "moved another class");
            }
        }
    }

    @Test
    void boundIsReachedByOrdinaryImages() {
        ImageSet images = TinyGans.noise(1, 3);
        long[] one = sum(images, features(1), 1, new int[] {0});
        double step = AggregateMechanism.grid(CONFIG).sumGrid().step();
        double norm = Math.sqrt(IntStream.range(0, one.length)
                .mapToDouble(i -> one[i] * step * (one[i] * step))
                .sum());
        // Far above √m = 2.2, which is what a sensitivity that forgets p would be.
        assertTrue(norm > 3.5 && norm <= Math.sqrt(5) * 2, "norm " + norm);
    }

    @Test
    void featuresAreNormalisedWithoutScaleOrShift() {
        GanFeatures features = features(1);
        Set<String> names =
                features.parameters().all().stream().map(Parameter::name).collect(Collectors.toSet());
        assertEquals(Set.of("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias"), names);
        ImageSet images = TinyGans.noise(4, 9);
        try (WorkerPool pool = new WorkerPool(1);
                FeatureEngine engine = new FeatureEngine(CONFIG, features, Backends.choose(), pool)) {
            engine.features(images.size(), images::copyImage, (worker, example, values, offset) -> {
                for (int channel = 0; channel < CONFIG.features(); channel++) {
                    double sum = 0;
                    double squares = 0;
                    for (int t = 0; t < 4; t++) {
                        double value = values[offset + t * CONFIG.features() + channel];
                        sum += value;
                        squares += value * value;
                    }
                    assertEquals(0, sum, 1e-3);
                    assertTrue(squares <= 4 * (1 + 1e-5), "sum of squares " + squares);
                }
            });
        }
    }

    @Test
    void vectorsThatAreNotFiniteAddNothing() {
        ExampleSum sum = new ExampleSum(AggregateMechanism.grid(CONFIG));
        for (float poison : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            float[] values = new float[LENGTH];
            values[3] = poison;
            sum.add(values, 0, LENGTH, LENGTH);
        }
        assertArrayEquals(new long[3 * LENGTH], sum.sum().units());
    }

    @Test
    void hugeVectorsAreClipped() {
        GradientGrid grid = AggregateMechanism.grid(CONFIG);
        for (float huge : new float[] {5, 1e10f, Float.MAX_VALUE}) {
            ExampleSum sum = new ExampleSum(grid);
            float[] values = new float[LENGTH];
            Arrays.fill(values, huge);
            values[1] = -huge;
            sum.add(values, 0, LENGTH, 0);
            requireWithin(grid.sensitivity(), grid.sumGrid().step(), sum.sum().units(), new long[3 * LENGTH]);
            assertTrue(sum.sum().units()[0] > 0 && sum.sum().units()[1] < 0);
        }
    }

    @Test
    void everyClassIsNoisedInProportionToTheSensitivity() {
        ImageSet nobody = TinyGans.noise(1, 1).subset(0, 0);
        int batch = 30;
        int asked = 400;
        double sigma = 1.5;
        double expected = sigma * Math.sqrt(5) * 2 * 3 / batch;
        double[] squares = new double[3];
        Ledger ledger = ledger(sigma, asked);
        RandomSource randomness = seeded();
        with(nobody, features(1), batch, 1, mechanism -> {
            for (int i = 0; i < asked; i++) {
                NoisedAggregates aggregates = mechanism.ask(ledger, randomness);
                assertEquals(expected, aggregates.noise(), 1e-9);
                for (int c = 0; c < 3; c++) {
                    for (float value : aggregates.ofClass(c)) {
                        squares[c] += (double) value * value / (asked * LENGTH);
                    }
                }
            }
            return 0;
        });
        for (double square : squares) {
            // 8,000 normals: the deviation is known to 0.8 %.
            assertEquals(expected, Math.sqrt(square), 0.04 * expected);
        }
    }

    @Test
    void dividesByThePublicBatchAndNotByWhatItHeld() {
        ImageSet images = TinyGans.noise(8, 2);
        ImageSet half = images.subset(0, 12);
        float[] all = with(
                images, features(1), 6, 1, m -> m.ask(ledger(0, 1), seeded()).values());
        float[] some =
                with(half, features(1), 6, 1, m -> m.ask(ledger(0, 1), seeded()).values());
        long[] units =
                with(half, features(1), 6, 1, m -> m.sum(all(half)).units().clone());
        double step = AggregateMechanism.grid(CONFIG).sumGrid().step();
        for (int i = 0; i < some.length; i++) {
            // Two images of a class are expected in a batch of six.
            assertEquals(units[i] * step / 2, some[i], 1e-6);
        }
        double differs = IntStream.range(0, all.length)
                .mapToDouble(i -> Math.abs(all[i] - some[i]))
                .max()
                .orElseThrow();
        assertTrue(differs > 0.1, "twice the images gave the same aggregate");
    }

    @Test
    void sumHasTheSameBitsForAnyNumberOfThreads() {
        ImageSet images = TinyGans.noise(20, 4);
        long[] one = sum(images, features(1), 1, all(images));
        assertArrayEquals(one, sum(images, features(1), 3, all(images)));
    }

    @Test
    void nothingIsAskedBeyondTheLedger() {
        ImageSet images = TinyGans.noise(1, 2);
        Ledger ledger = ledger(1, 1);
        with(images, features(1), 2, 1, mechanism -> {
            mechanism.ask(ledger, seeded());
            assertEquals(1, ledger.spent(AggregateMechanism.EVENT));
            return assertThrows(IllegalStateException.class, () -> mechanism.ask(ledger, seeded()));
        });
    }
}
