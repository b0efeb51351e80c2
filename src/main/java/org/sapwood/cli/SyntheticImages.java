package org.sapwood.cli;

import java.util.List;
import org.sapwood.data.ImageSet;
import org.sapwood.diffusion.ImageSampler;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.SamplingOptions;
import org.sapwood.io.PngImages;
import org.sapwood.nn.ModelFolder;
import org.sapwood.nn.UNetConfig;
import org.sapwood.synthesis.ProgressListener;
import org.sapwood.tensor.BackendChoice;

/** Draws labelled images from a trained model. */
final class SyntheticImages {
    /** What models without the metadata were trained with. */
    static final String DEFAULT_SCHEDULE = "linear";

    private SyntheticImages() {}

    /**
     * Draws images, the classes in turn.
     *
     * @param classNames of the model's classes without the one that means none; one name for an unconditional model
     * @param count at least 1
     */
    static ImageSet draw(
            ModelFolder.Loaded model,
            List<String> classNames,
            int count,
            SamplingOptions options,
            BackendChoice backend,
            ProgressListener progress) {
        UNetConfig config = model.unet().config();
        NoiseSchedule schedule =
                NoiseSchedule.named(model.metadata().getOrDefault(ModelFolder.NOISE_SCHEDULE, DEFAULT_SCHEDULE));
        int[] labels = new int[count];
        for (int i = 0; i < count; i++) {
            labels[i] = i % classNames.size();
        }
        long start = System.nanoTime();
        float[] images = new ImageSampler(model.unet(), schedule, options, backend)
                .sample(
                        labels,
                        done -> progress.step(
                                done, count, Double.NaN, done / Math.max(1e-9, (System.nanoTime() - start) * 1e-9)));
        int size = config.sampleSize();
        return ImageSet.of(size, size, config.outChannels(), PngImages.toBytes(images), labels, classNames);
    }
}
