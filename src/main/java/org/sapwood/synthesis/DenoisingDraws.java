package org.sapwood.synthesis;

import org.apache.commons.rng.sampling.distribution.ContinuousSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.sapwood.autograd.TrainableTape;
import org.sapwood.diffusion.DenoisingTape;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.TimestepSampler;

/**
 * Makes the draws of the denoising loss: an augmented image, a timestep and Gaussian noise, mixed into a noisy image
 * whose noise is to be predicted (Ho et al. 2020). Draw k of image i at step s depends on (seed, s, i, k) alone.
 */
public final class DenoisingDraws implements PublicLoop.BatchSource {
    /** What the draws of one worker are made in. */
    private static final class Scratch {
        final DrawRandom random = new DrawRandom();
        final ContinuousSampler gaussian = ZigguratSampler.NormalizedGaussian.of(random);
        final float[] image;
        final float[] augmented;
        final float[] noise;
        final float[] noisy;

        Scratch(int length) {
            image = new float[length];
            augmented = new float[length];
            noise = new float[length];
            noisy = new float[length];
        }
    }

    private final TrainingImages images;
    private final NoiseSchedule schedule;
    private final TimestepSampler timesteps;
    private final Augmentation augmentation;
    private final int timestepsPerImage;
    private final double labelDropout;
    private final int noClass;
    private final long seed;
    private final Scratch[] scratch;
    private int[] indices = {};
    private long step;

    /**
     * @param timestepsPerImage consecutive draws, ≥ 1, that share one changed copy of the image
     * @param labelDropout probability, in [0, 1], that a draw's label is replaced by {@code noClass}, so that the model
     *     learns the unconditional score for classifier-free guidance
     * @param noClass label that means no class
     * @param seed of all draws; the privacy guarantee does not depend on it
     * @param workers threads that may ask for draws
     */
    public DenoisingDraws(
            TrainingImages images,
            NoiseSchedule schedule,
            TimestepSampler timesteps,
            Augmentation augmentation,
            int timestepsPerImage,
            double labelDropout,
            int noClass,
            long seed,
            int workers) {
        this.images = images;
        this.schedule = schedule;
        this.timesteps = timesteps;
        this.augmentation = augmentation;
        this.timestepsPerImage = timestepsPerImage;
        this.labelDropout = labelDropout;
        this.noClass = noClass;
        this.seed = seed;
        this.scratch = new Scratch[workers];
        for (int i = 0; i < workers; i++) {
            scratch[i] = new Scratch(images.imageLength());
        }
    }

    @Override
    public void select(long step, int[] indices) {
        this.step = step;
        this.indices = indices;
    }

    @Override
    public void fill(int worker, int example, int draw, TrainableTape tape, int slot) {
        DenoisingTape denoising = (DenoisingTape) tape;
        Scratch s = scratch[worker];
        int image = indices[example];
        int firstOfCopy = draw - draw % timestepsPerImage;
        s.random.key(seed, step, image, firstOfCopy);
        images.copyImage(image, s.image, 0);
        float[] clean = s.image;
        if (!augmentation.isIdentity()) {
            augmentation.apply(s.image, s.augmented, images.height(), images.width(), images.channels(), s.random);
            clean = s.augmented;
        }
        if (draw != firstOfCopy) {
            s.random.key(seed, step, image, draw);
        }
        int timestep = timesteps.sample(s.random);
        int label = s.random.nextDouble() < labelDropout ? noClass : images.label(image);
        for (int j = 0; j < s.noise.length; j++) {
            s.noise[j] = (float) s.gaussian.sample();
        }
        schedule.addNoise(clean, 0, s.noise, 0, timestep, s.noisy, 0, s.noise.length);
        denoising.setImage(slot, s.noisy, 0);
        denoising.setTarget(slot, s.noise, 0);
        denoising.setCondition(slot, timestep, label);
    }
}
