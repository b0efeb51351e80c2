package org.sapwood.synthesis.dpaf;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ContinuousSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.nn.GanConfig;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.tensor.BackendChoice;

/**
 * The half of DPAF that is post-processing: generator and upper discriminator train against each other on noised
 * aggregates. No image and no sum without noise can be passed to it.
 *
 * <p>A round takes some classes. For each, the discriminator sees a mean of noised aggregates, and beside it the mean
 * features of as many generated images plus noise of the same standard deviation, so that noise tells it nothing. The
 * generator follows the discriminator (non-saturating loss) and matches the mean of all aggregates (Salimans et al.
 * 2016). The square of that difference is estimated from two independent halves of the generated images, which makes it
 * unbiased: with one mean over all of them the generator would be paid for making them all alike.
 */
final class AdversarialTrainer implements AutoCloseable {
    /** Classes in a round; a discriminator batch holds one aggregate for each. */
    private static final int MOST_CLASSES = 10;

    private static final double FINAL_SHARE = 0.1;

    private final GanConfig config;
    private final DpafModel model;
    private final DpafOptions options;
    private final long seed;
    private final WorkerPool pool;
    private final HeadPass head;
    private final List<GeneratorLane> lanes = new ArrayList<>();

    AdversarialTrainer(DpafModel model, DpafOptions options, long seed, BackendChoice backend, WorkerPool pool) {
        this.config = model.config();
        this.model = model;
        this.options = options;
        this.seed = seed;
        this.pool = pool;
        int rows = Math.min(MOST_CLASSES, config.classes());
        head = new HeadPass(backend.open(), config, model.head(), rows);
        for (int i = 0; i < rows; i++) {
            lanes.add(new GeneratorLane(
                    backend.open(),
                    model.generator(),
                    model.features(),
                    model.trainedGenerator().parameters(),
                    options.generated()));
        }
    }

    /** One update of the upper discriminator and one of the generator, from what the buffer holds. */
    void round(AggregateBuffer buffer) {
        long round = model.rounds();
        UniformRandomProvider rng = random(round, -1);
        int rows = lanes.size();
        int[] classes = someClasses(rng, rows);
        pool.forEach(rows, (worker, row) -> lanes.get(row).generate(classes[row], random(round, row)));

        int length = config.featureLength();
        ContinuousSampler gaussian = ZigguratSampler.NormalizedGaussian.of(rng);
        float[] real = new float[rows * length];
        float[] generated = new float[rows * length];
        List<float[]> first = new ArrayList<>();
        List<float[]> second = new ArrayList<>();
        for (int row = 0; row < rows; row++) {
            AggregateBuffer.Mean mean = buffer.draw(classes[row], rng);
            System.arraycopy(mean.values(), 0, real, row * length, length);
            first.add(lanes.get(row).halfMean(0));
            second.add(lanes.get(row).halfMean(1));
            for (int j = 0; j < length; j++) {
                float both = (first.get(row)[j] + second.get(row)[j]) / 2;
                generated[row * length + j] = (float) (both + mean.noise() * gaussian.sample());
            }
        }
        float[] ofHead = new float[model.trainedHead().size()];
        head.addWeightGradient(real, classes, 0, ofHead);
        head.addWeightGradient(generated, classes, config.classes(), ofHead);
        float[] adversarial = new float[rows * length];
        head.gradients(generated, classes, 0, adversarial);
        model.trainedHead().step(ofHead, rate(options.headLearningRate()));

        float matching = (float) (options.matching() / rows);
        pool.forEach(rows, (worker, row) -> {
            float[] target = buffer.mean(classes[row]).values();
            float[] toFirst = new float[length];
            float[] toSecond = new float[length];
            for (int j = 0; j < length; j++) {
                float common = adversarial[row * length + j] / 2;
                toFirst[j] = (common + matching * (second.get(row)[j] - target[j])) * 2 / options.generated();
                toSecond[j] = (common + matching * (first.get(row)[j] - target[j])) * 2 / options.generated();
            }
            lanes.get(row).backward(toFirst, toSecond);
        });
        float[] gradient = new float[model.trainedGenerator().size()];
        for (GeneratorLane lane : lanes) {
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] += lane.weightGradient()[i];
            }
        }
        model.trainedGenerator().step(gradient, rate(options.learningRate()));
        model.averaged().update(model.trainedGenerator().weights());
        model.countRound();
    }

    /**
     * The gradients of the discriminator's loss in the aggregates: where conv2 should move the features of real and of
     * generated images.
     */
    Directions directions(NoisedAggregates real) {
        int length = config.featureLength();
        float[] ofReal = new float[config.classes() * length];
        float[] ofGenerated = new float[ofReal.length];
        int rows = lanes.size();
        for (int from = 0; from < config.classes(); from += rows) {
            int[] classes = block(from, rows);
            long round = model.rounds();
            pool.forEach(rows, (worker, row) -> lanes.get(row).generate(classes[row], random(round, row)));
            ContinuousSampler gaussian = ZigguratSampler.NormalizedGaussian.of(random(round, -1));
            float[] realRows = new float[rows * length];
            float[] generatedRows = new float[rows * length];
            for (int row = 0; row < rows; row++) {
                System.arraycopy(real.ofClass(classes[row]), 0, realRows, row * length, length);
                float[] first = lanes.get(row).halfMean(0);
                float[] second = lanes.get(row).halfMean(1);
                for (int j = 0; j < length; j++) {
                    generatedRows[row * length + j] =
                            (float) ((first[j] + second[j]) / 2 + real.noise() * gaussian.sample());
                }
            }
            float[] gradient = new float[rows * length];
            head.gradients(realRows, classes, 0, gradient);
            copyBlock(gradient, classes, ofReal);
            head.gradients(generatedRows, classes, config.classes(), gradient);
            copyBlock(gradient, classes, ofGenerated);
        }
        return Directions.normalised(ofReal, ofGenerated, config.classes());
    }

    private void copyBlock(float[] rows, int[] classes, float[] byClass) {
        int length = config.featureLength();
        for (int row = 0; row < classes.length; row++) {
            System.arraycopy(rows, row * length, byClass, classes[row] * length, length);
        }
    }

    /**
     * The gradient of conv2 on generated images, clipped image by image as that on real ones is, so that neither side
     * weighs more. It needs no noise.
     *
     * @return the mean over the images
     */
    float[] generatedGradient(FeatureEngine engine, Directions directions) {
        int rows = lanes.size();
        int per = options.generated();
        int length = config.featureLength();
        double[] sum = new double[engine.conv2().size()];
        int count = 0;
        for (int from = 0; from < config.classes(); from += rows) {
            int[] classes = block(from, rows);
            long round = model.rounds();
            pool.forEach(rows, (worker, row) -> lanes.get(row).generate(classes[row], random(round, row)));
            // The last block repeats classes that were counted before.
            int repeated = from - classes[0];
            List<float[]> images = new ArrayList<>();
            for (int row = repeated; row < rows; row++) {
                images.add(lanes.get(row).images());
            }
            float[][] gradients = new float[images.size() * per][engine.conv2().size()];
            engine.conv2Gradients(
                    gradients.length,
                    (i, target, offset) -> System.arraycopy(
                            images.get(i / per), i % per * config.imageLength(), target, offset, config.imageLength()),
                    (i, target, offset) -> System.arraycopy(
                            directions.generated(), classes[repeated + i / per] * length, target, offset, length),
                    (worker, i, values, offset) -> System.arraycopy(values, offset, gradients[i], 0, sum.length));
            for (float[] gradient : gradients) {
                addClipped(gradient, sum);
            }
            count += gradients.length;
        }
        float[] mean = new float[sum.length];
        for (int i = 0; i < mean.length; i++) {
            mean[i] = (float) (sum[i] / count);
        }
        return mean;
    }

    private void addClipped(float[] gradient, double[] sum) {
        double squares = 0;
        for (float value : gradient) {
            squares += (double) value * value;
        }
        double scale = Math.min(1, options.conv2ClipNorm() / Math.sqrt(Math.max(squares, Double.MIN_NORMAL)));
        for (int i = 0; i < sum.length; i++) {
            sum[i] += scale * gradient[i];
        }
    }

    /** {@code rows} classes from {@code from} on; at the end the last ones again, to fill the block. */
    private int[] block(int from, int rows) {
        int start = Math.min(from, config.classes() - rows);
        int[] classes = new int[rows];
        for (int i = 0; i < rows; i++) {
            classes[i] = start + i;
        }
        return classes;
    }

    private int[] someClasses(UniformRandomProvider rng, int count) {
        int[] all = new int[config.classes()];
        for (int i = 0; i < all.length; i++) {
            all[i] = i;
        }
        for (int i = 0; i < count; i++) {
            int j = i + rng.nextInt(all.length - i);
            int chosen = all[j];
            all[j] = all[i];
            all[i] = chosen;
        }
        return Arrays.copyOf(all, count);
    }

    /** A stream of its own for every round and lane, so that no worker waits for another's numbers. */
    private UniformRandomProvider random(long round, int lane) {
        return RandomSource.XO_SHI_RO_256_PP.create(new long[] {seed, round, lane, 0x9E3779B97F4A7C15L});
    }

    /** The rate falls along half a cosine to a tenth. */
    private double rate(double rate) {
        double progress = (double) model.rounds() / ((double) options.rounds() * options.steps());
        double share = (1 + Math.cos(Math.PI * Math.min(1, progress))) / 2;
        return rate * (FINAL_SHARE + (1 - FINAL_SHARE) * share);
    }

    @Override
    public void close() {
        head.close();
        lanes.forEach(GeneratorLane::close);
    }
}
