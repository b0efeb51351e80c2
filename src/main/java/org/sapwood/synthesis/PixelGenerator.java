package org.sapwood.synthesis;

import java.util.function.LongConsumer;
import org.sapwood.diffusion.ImageSampler;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.SamplingOptions;
import org.sapwood.nn.ModelFolder;
import org.sapwood.nn.UNet;
import org.sapwood.tensor.BackendChoice;

/**
 * A diffusion model of pixels.
 *
 * @param model that predicts noise
 * @param schedule that it was trained with
 */
public record PixelGenerator(UNet model, NoiseSchedule schedule) implements ImageGenerator {
    /** The model of a checkpoint, with the schedule that its metadata names. */
    static PixelGenerator of(ModelFolder.Loaded loaded) {
        return new PixelGenerator(loaded.unet(), ImageGenerators.schedule(loaded.metadata()));
    }

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
        return model.config().sampleSize();
    }

    @Override
    public int channels() {
        return model.config().outChannels();
    }

    @Override
    public float[] draw(int[] labels, SamplingOptions options, BackendChoice backend, LongConsumer progress) {
        return new ImageSampler(model, schedule, options, backend).sample(labels, progress);
    }
}
