package org.sapwood.synthesis;

import java.util.function.LongConsumer;
import org.sapwood.diffusion.ImageSampler;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.SamplingOptions;
import org.sapwood.nn.Autoencoder;
import org.sapwood.nn.UNet;
import org.sapwood.tensor.BackendChoice;

/**
 * A latent diffusion model (Rombach et al. 2022): latents are drawn, and an autoencoder decodes them.
 *
 * @param model that predicts the noise in latents
 * @param schedule that it was trained with
 * @param autoencoder whose latents it draws
 */
public record LatentGenerator(UNet model, NoiseSchedule schedule, Autoencoder autoencoder) implements ImageGenerator {
    @Override
    public int classes() {
        return Math.max(1, model.config().classes() - 1);
    }

    @Override
    public boolean canBeGuided() {
        return model.config().classes() > 0;
    }

    @Override
    public int imageSize() {
        return autoencoder.config().sampleSize();
    }

    @Override
    public int channels() {
        return autoencoder.config().channels();
    }

    /** Estimates are not clipped on the way: latents have no bounds. The images are held to [−1, 1]. */
    @Override
    public float[] draw(int[] labels, SamplingOptions options, BackendChoice backend, LongConsumer progress) {
        SamplingOptions ofLatents = new SamplingOptions(
                options.rule(),
                options.steps(),
                options.guidanceScale(),
                false,
                options.microBatch(),
                options.threads(),
                options.seed());
        float[] latents = new ImageSampler(model, schedule, ofLatents, backend).sample(labels, progress);
        return new LatentCodec(autoencoder, backend, options.threads()).decode(latents);
    }
}
