package org.sapwood.diffusion;

/**
 * One step from noise towards an image. Every supported {@link StepRule} is linear in the noisy image x, the present
 * and the previous estimate of the clean image, and fresh noise z:
 * x′ = noisy·x + clean·x̂₀ + previousClean·x̂₀(previous step) + fresh·z, where x̂₀ = (x − sigma·ε̂)/signal and ε̂ is the
 * model's prediction at {@code timestep}.
 *
 * @param timestep t at which the model is asked
 * @param signal √ᾱ_t
 * @param sigma √(1 − ᾱ_t)
 * @param noisy factor of x
 * @param clean factor of x̂₀
 * @param previousClean factor of the previous step's x̂₀; 0 in the first step
 * @param fresh standard deviation of new noise; 0 in a deterministic sampler
 */
public record SamplingStep(
        int timestep, double signal, double sigma, double noisy, double clean, double previousClean, double fresh) {}
