package org.sapwood.synthesis.dpaf;

import java.util.Arrays;
import org.sapwood.nn.GanConfig;
import org.sapwood.privacy.aggregation.NoisedSum;
import org.sapwood.privacy.sampling.ExpectedBatchSize;

/**
 * One noised mean of features per class: all that the discriminator's upper half and the generator ever see of the
 * sensitive images. It can be made of a {@link NoisedSum} alone, so nothing without noise can be handed to them.
 */
final class NoisedAggregates {
    private final float[] values;
    private final int featureLength;
    private final double noise;

    /**
     * Divides by the public expected number of images of a class in a batch, B/K, never by the number there were.
     *
     * @param sum [K, m·p²]
     * @param batch public constant B
     * @param noiseDeviation standard deviation of each coordinate of {@code sum}
     */
    NoisedAggregates(NoisedSum sum, ExpectedBatchSize batch, GanConfig config, double noiseDeviation) {
        featureLength = config.featureLength();
        values = new float[config.classes() * featureLength];
        sum.meanOver(batch, values);
        for (int i = 0; i < values.length; i++) {
            values[i] *= config.classes();
        }
        noise = noiseDeviation * config.classes() / batch.examples();
    }

    /**
     * Aggregates that a checkpoint kept.
     *
     * @param values what {@link #values} was, [K, m·p²]
     */
    NoisedAggregates(float[] values, double noise, GanConfig config) {
        this.values = values.clone();
        this.featureLength = config.featureLength();
        this.noise = noise;
    }

    /** The aggregate of one class, a copy, [p², m]. */
    float[] ofClass(int label) {
        return Arrays.copyOfRange(values, label * featureLength, (label + 1) * featureLength);
    }

    /** All aggregates, a copy, [K, p², m]. */
    float[] values() {
        return values.clone();
    }

    /** Standard deviation of the noise in every coordinate; public. */
    double noise() {
        return noise;
    }
}
