package org.sapwood.synthesis.dpaf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.core.source64.XoShiRo256PlusPlus;
import org.junit.jupiter.api.Test;
import org.sapwood.autograd.Parameter;
import org.sapwood.data.ImageSet;
import org.sapwood.nn.GanConfig;
import org.sapwood.nn.GanFeatures;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.aggregation.SumGrid;
import org.sapwood.privacy.ledger.Ledger;
import org.sapwood.privacy.random.RandomSource;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.privacy.sampling.PoissonSampler;
import org.sapwood.tensor.Backends;

/** The private gradient of conv2 as executed. */
class Conv2MechanismTest {
    private static final GanConfig CONFIG = TinyGans.config();
    private static final int LENGTH = CONFIG.featureLength();

    private final GanFeatures features = new GanFeatures(CONFIG);

    Conv2MechanismTest() {
        features.initialize(rng());
    }

    private static UniformRandomProvider rng() {
        return new XoShiRo256PlusPlus(new long[] {3, 5, 7, 9});
    }

    private interface Use<T> {
        T with(Conv2Mechanism mechanism, FeatureEngine engine);
    }

    /** A mechanism that takes every image. */
    private <T> T with(ImageSet images, int batch, double clipNorm, int threads, Use<T> use) {
        try (WorkerPool pool = new WorkerPool(threads);
                FeatureEngine engine = new FeatureEngine(CONFIG, features, Backends.choose(), pool)) {
            PoissonSampler everyone = new PoissonSampler(
                    images.size(), 1, RandomSource.seeded(1, 0).uniform(RandomSource.Purpose.SAMPLING));
            return use.with(
                    new Conv2Mechanism(CONFIG, images, engine, everyone, new ExpectedBatchSize(batch), clipNorm, pool),
                    engine);
        }
    }

    private static Directions directions(float scale) {
        UniformRandomProvider rng = rng();
        float[] v = new float[3 * LENGTH];
        for (int i = 0; i < v.length; i++) {
            v[i] = (rng.nextFloat() - 0.5f) * scale;
        }
        return new Directions(v, v);
    }

    private static int[] all(ImageSet images) {
        return IntStream.range(0, images.size()).toArray();
    }

    @Test
    void noImageMovesTheSumByMoreThanTheClipNorm() {
        ImageSet images = TinyGans.adversarial();
        for (double clipNorm : new double[] {1e-3, 0.7}) {
            for (float scale : new float[] {1, 1e20f}) {
                with(images, 1, clipNorm, 1, (mechanism, engine) -> {
                    for (int i = 0; i < images.size(); i++) {
                        long[] units =
                                mechanism.sum(new int[] {i}, directions(scale)).units();
                        SumGrid grid =
                                Conv2Mechanism.grid(clipNorm, units.length).sumGrid();
                        BigInteger squares = BigInteger.ZERO;
                        for (long unit : units) {
                            squares = squares.add(BigInteger.valueOf(unit).pow(2));
                        }
                        BigDecimal bound = new BigDecimal(clipNorm / grid.step()).pow(2);
                        assertEquals(clipNorm, grid.sensitivity());
                        assertTrue(new BigDecimal(squares).compareTo(bound) <= 0, "image " + i);
                    }
                    return 0;
                });
            }
        }
    }

    @Test
    void sumIsTheGradientOfFeaturesAlongTheDirectionOfTheImagesClass() {
        ImageSet images = TinyGans.noise(2, 6);
        Directions directions = directions(1);
        double clipNorm = 1e3;
        with(images, 1, clipNorm, 2, (mechanism, engine) -> {
            SumGrid grid = Conv2Mechanism.grid(clipNorm, engine.conv2().size()).sumGrid();
            long[] units = mechanism.sum(all(images), directions).units().clone();
            int offset = 0;
            for (Parameter parameter : engine.conv2().parameters()) {
                for (int i = 0; i < parameter.size(); i += 37) {
                    float[] weights = parameter.value().array();
                    int at = parameter.value().offset() + i;
                    float before = weights[at];
                    weights[at] = before + 1e-3f;
                    double above = alongDirections(engine, images, directions);
                    weights[at] = before - 1e-3f;
                    double below = alongDirections(engine, images, directions);
                    weights[at] = before;
                    assertEquals((above - below) / 2e-3, units[offset + i] * grid.step(), 0.05, parameter.name());
                }
                offset += parameter.size();
            }
            return 0;
        });
    }

    private static double alongDirections(FeatureEngine engine, ImageSet images, Directions directions) {
        double[] total = new double[images.size()];
        engine.features(images.size(), images::copyImage, (worker, example, values, offset) -> {
            for (int j = 0; j < LENGTH; j++) {
                total[example] += (double) values[offset + j] * directions.real()[images.label(example) * LENGTH + j];
            }
        });
        return IntStream.range(0, total.length).mapToDouble(i -> total[i]).sum();
    }

    @Test
    void sumHasTheSameBitsForAnyNumberOfThreads() {
        ImageSet images = TinyGans.noise(13, 6);
        long[] one = with(
                images,
                1,
                0.1,
                1,
                (m, e) -> m.sum(all(images), directions(1)).units().clone());
        long[] three = with(
                images,
                1,
                0.1,
                3,
                (m, e) -> m.sum(all(images), directions(1)).units().clone());
        assertArrayEquals(one, three);
    }

    @Test
    void answerIsNoisedAndDividedByThePublicBatch() {
        ImageSet nobody = TinyGans.noise(1, 1).subset(0, 0);
        double sigma = 2;
        double clipNorm = 0.3;
        int batch = 12;
        int asked = 40;
        Ledger ledger = Ledger.inMemory(
                List.of(new PrivacyEvent(Conv2Mechanism.EVENT, 0.5, sigma, clipNorm, asked)),
                1e-3,
                "seeded, not private");
        RandomSource randomness = RandomSource.seeded(2, 0);
        double squares = with(nobody, batch, clipNorm, 1, (mechanism, engine) -> {
            double sum = 0;
            for (int i = 0; i < asked; i++) {
                for (float value : mechanism.ask(directions(1), ledger, randomness)) {
                    sum += (double) value * value / asked / engine.conv2().size();
                }
            }
            return sum;
        });
        assertEquals(sigma * clipNorm / batch, Math.sqrt(squares), 0.04 * sigma * clipNorm / batch);
        assertEquals(asked, ledger.spent(Conv2Mechanism.EVENT));
    }
}
