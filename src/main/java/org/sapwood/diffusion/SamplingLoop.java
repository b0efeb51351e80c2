package org.sapwood.diffusion;

import java.util.List;
import org.apache.commons.rng.sampling.distribution.ContinuousSampler;

/** Walks one micro-batch from noise to images. Belongs to one worker; allocates nothing after construction. */
final class SamplingLoop {
    private final List<SamplingStep> plan;
    private final boolean clip;
    private final int size;
    private final float[] x;
    private final float[] prediction;
    private final double[] clean;

    /**
     * @param clip whether estimates of the clean image are held to [-1, 1]
     * @param batch images at a time
     * @param size values per image
     */
    SamplingLoop(List<SamplingStep> plan, boolean clip, int batch, int size) {
        this.plan = plan;
        this.clip = clip;
        this.size = size;
        x = new float[batch * size];
        prediction = new float[batch * size];
        clean = new double[batch * size];
    }

    /**
     * Draws one image per label.
     *
     * @param noise one standard normal stream per image, read for the start and then, if the sampler is stochastic, once
     *     per value and step
     * @param labels one per image of the batch
     * @return the images, [batch, size]; valid until the next call
     */
    float[] run(NoisePredictor predictor, ContinuousSampler[] noise, int[] labels) {
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) noise[i / size].sample();
        }
        for (SamplingStep step : plan) {
            predictor.predict(x, step.timestep(), labels, prediction);
            advance(step, noise);
        }
        return x;
    }

    private void advance(SamplingStep step, ContinuousSampler[] noise) {
        for (int i = 0; i < x.length; i++) {
            double estimate = (x[i] - step.sigma() * prediction[i]) / step.signal();
            if (clip) {
                estimate = Math.clamp(estimate, -1.0, 1.0);
            }
            double next = step.noisy() * x[i] + step.clean() * estimate;
            if (step.previousClean() != 0) {
                next += step.previousClean() * clean[i];
            }
            if (step.fresh() != 0) {
                next += step.fresh() * noise[i / size].sample();
            }
            clean[i] = estimate;
            x[i] = (float) next;
        }
    }
}
