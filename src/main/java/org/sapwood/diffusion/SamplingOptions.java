package org.sapwood.diffusion;

/**
 * How images are drawn from a model.
 *
 * @param rule the sampler
 * @param steps model evaluations per image (times two with guidance), ≥ 1
 * @param guidanceScale w of classifier-free guidance: 1 is plain class-conditional sampling, larger is closer to the
 *     class and less varied; must be 1 for an unconditional model
 * @param clip whether estimates of the clean image are held to [-1, 1]
 * @param microBatch images per worker at a time, ≥ 1; does not change the images
 * @param threads workers, ≥ 1; does not change the images
 * @param seed of all images: image i depends on (seed, i), its label and the model alone
 */
public record SamplingOptions(
        StepRule rule, int steps, double guidanceScale, boolean clip, int microBatch, int threads, long seed) {
    public SamplingOptions {
        if (steps < 1 || microBatch < 1 || threads < 1) {
            throw new IllegalArgumentException("sampling steps, micro-batch and threads must be >= 1, got " + steps
                    + ", " + microBatch + " and " + threads);
        }
        if (!Double.isFinite(guidanceScale)) {
            throw new IllegalArgumentException("guidanceScale must be finite, got " + guidanceScale);
        }
    }
}
