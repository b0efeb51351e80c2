package org.sapwood.synthesis.dpaf;

import java.util.Arrays;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ContinuousSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.autograd.SumSink;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.nn.GanConfig;
import org.sapwood.nn.GanFeatures;
import org.sapwood.nn.GanGenerator;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Indices;

/** Images generated of one class, through the features below the aggregation: one lane of a round. */
final class GeneratorLane implements AutoCloseable {
    private final GanConfig config;
    private final Backend backend;
    private final int count;
    private final Tape tape;
    private final Variable latent;
    private final Variable images;
    private final Variable features;
    private final Indices labels;
    private final SumSink sink;
    private final float[] z;
    private final float[] pixels;
    private final float[] values;
    private final float[] gradients;
    private final float[] weightGradient;

    /** @param count images at a time, even */
    GeneratorLane(Backend backend, GanGenerator generator, GanFeatures below, ParameterVector weights, int count) {
        this.config = generator.config();
        this.backend = backend;
        this.count = count;
        Arena arena = new Arena(backend);
        tape = Tape.forTraining(backend, arena);
        latent = tape.input(count, 1, config.latent());
        labels = new Indices(count);
        images = generator.forward(tape, latent, labels);
        tape.keep(images);
        below.parameters().trainOnly(name -> false);
        features = below.forward(tape, images);
        tape.keep(features);
        tape.seal();
        sink = new SumSink(backend, arena, weights, count);
        z = new float[count * config.latent()];
        pixels = new float[count * config.imageLength()];
        values = new float[count * config.featureLength()];
        gradients = new float[values.length];
        weightGradient = new float[weights.size()];
    }

    /** Generates images of a class and their features. */
    void generate(int label, UniformRandomProvider rng) {
        ContinuousSampler gaussian = ZigguratSampler.NormalizedGaussian.of(rng);
        for (int i = 0; i < z.length; i++) {
            z[i] = (float) gaussian.sample();
        }
        backend.upload(z, 0, latent.value());
        Arrays.fill(labels.values(), label);
        tape.forward();
        backend.download(features.value(), values, 0);
    }

    /** The mean features of half of the images; half 0 is the first. */
    float[] halfMean(int half) {
        int length = config.featureLength();
        float[] mean = new float[length];
        int perHalf = count / 2;
        for (int i = half * perHalf; i < (half + 1) * perHalf; i++) {
            for (int j = 0; j < length; j++) {
                mean[j] += values[i * length + j];
            }
        }
        for (int j = 0; j < length; j++) {
            mean[j] /= perHalf;
        }
        return mean;
    }

    /** The images, [count, imageSize², channels]. */
    float[] images() {
        backend.download(images.value(), pixels, 0);
        return pixels;
    }

    /**
     * Propagates the gradients in the features of each half's images to the generator's weights.
     *
     * @param first gradient of every image of the first half, [p², m]
     * @param second of the second half
     */
    void backward(float[] first, float[] second) {
        int length = config.featureLength();
        for (int i = 0; i < count; i++) {
            System.arraycopy(i < count / 2 ? first : second, 0, gradients, i * length, length);
        }
        backend.upload(gradients, 0, features.gradient());
        sink.clear();
        tape.backward(sink);
        sink.finish();
        backend.download(sink.matrix(), weightGradient, 0);
    }

    /** The gradient in the generator's weights. */
    float[] weightGradient() {
        return weightGradient;
    }

    @Override
    public void close() {
        backend.close();
    }
}
