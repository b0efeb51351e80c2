package org.sapwood.synthesis;

import org.apache.commons.rng.sampling.distribution.ContinuousSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.sapwood.autograd.TrainableTape;
import org.sapwood.nn.AutoencoderConfig;
import org.sapwood.nn.AutoencoderTape;

/**
 * Makes the draws of an autoencoder's loss: an augmented image and the noise that its latent is drawn with. The draw of
 * image i at step s depends on (seed, s, i) alone.
 */
final class AutoencoderDraws implements PublicLoop.BatchSource {
    /** What the draws of one worker are made in. */
    private static final class Scratch {
        final DrawRandom random = new DrawRandom();
        final ContinuousSampler gaussian = ZigguratSampler.NormalizedGaussian.of(random);
        final float[] image;
        final float[] augmented;
        final float[] noise;

        Scratch(AutoencoderConfig config) {
            image = new float[config.imageLength()];
            augmented = new float[config.imageLength()];
            noise = new float[config.latentLength()];
        }
    }

    private final TrainingImages images;
    private final Augmentation augmentation;
    private final long seed;
    private final Scratch[] scratch;
    private int[] indices = {};
    private long step;

    /** @param workers threads that may ask for draws */
    AutoencoderDraws(
            TrainingImages images, AutoencoderConfig config, Augmentation augmentation, long seed, int workers) {
        this.images = images;
        this.augmentation = augmentation;
        this.seed = seed;
        scratch = new Scratch[workers];
        for (int i = 0; i < workers; i++) {
            scratch[i] = new Scratch(config);
        }
    }

    @Override
    public void select(long newStep, int[] newIndices) {
        step = newStep;
        indices = newIndices;
    }

    @Override
    public void fill(int worker, int example, int draw, TrainableTape tape, int slot) {
        AutoencoderTape autoencoder = (AutoencoderTape) tape;
        Scratch s = scratch[worker];
        int image = indices[example];
        s.random.key(seed, step, image, draw);
        images.copyImage(image, s.image, 0);
        augmentation.apply(s.image, s.augmented, images.height(), images.width(), images.channels(), s.random);
        for (int i = 0; i < s.noise.length; i++) {
            s.noise[i] = (float) s.gaussian.sample();
        }
        autoencoder.setImage(slot, s.augmented, 0);
        autoencoder.setNoise(slot, s.noise, 0);
    }
}
